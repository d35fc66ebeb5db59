package staging_test

import (
	"strings"
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/staging"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// operator is the tests' operator with a host whose task it is to collect.
var operator = strings.Replace(detecttest.Operator, "{name: jump-1,", "{name: etl-1, addresses: [10.20.0.30], role: etl}\n      - {name: jump-1,", 1)

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, operator)
}

func detector(t *testing.T) detect.Detector {
	return staging.New(staging.DefaultConfig(), detecttest.Inventory(t, operator))
}
