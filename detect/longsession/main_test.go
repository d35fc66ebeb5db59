package longsession_test

import (
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/longsession"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, detecttest.Operator)
}

func detector(t *testing.T) detect.Detector {
	return longsession.New(longsession.DefaultConfig(), detecttest.Inventory(t, detecttest.Operator))
}
