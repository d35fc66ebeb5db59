package transfer_test

import (
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/device/devicetest"
	"tapwatch/detect/transfer"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, devicetest.Carrier)
}

func detector(t *testing.T) detect.Detector {
	return transfer.New(transfer.DefaultConfig(), detecttest.Inventory(t, devicetest.Carrier))
}
