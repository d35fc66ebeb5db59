package scan_test

import (
	"strings"
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/scan"
	"tapwatch/enrich"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// operator is that of all tests, with public addresses in its core.
var operator = strings.Replace(detecttest.Operator, "prefixes: [10.40.0.0/16]", "prefixes: [10.40.0.0/16, 198.18.0.0/16]", 1)

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	inv := detecttest.Inventory(t, operator)
	store := testkit.Store(t)
	writer := testkit.Writer(t, store)
	return detecttest.NewStage(t, store, writer, enrich.Chain{zone.New(inv), orient.ForInventory(inv)})
}

func detector(t *testing.T) detect.Detector {
	return scan.New(scan.DefaultConfig(), detecttest.Inventory(t, operator))
}
