package scan_test

import (
	"strings"
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/scan"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// operator is that of all tests, with public addresses in its core.
var operator = strings.Replace(detecttest.Operator, "prefixes: [10.40.0.0/16]", "prefixes: [10.40.0.0/16, 198.18.0.0/16]", 1)

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, operator)
}

func detector(t *testing.T) detect.Detector {
	return scan.New(scan.DefaultConfig(), detecttest.Inventory(t, operator))
}
