package tunnel_test

import (
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/device/devicetest"
	"tapwatch/detect/tunnel"
	"tapwatch/enrich"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	inv := detecttest.Inventory(t, devicetest.Carrier)
	store := testkit.Store(t)
	writer := testkit.Writer(t, store)
	return detecttest.NewStage(t, store, writer, enrich.Chain{zone.New(inv), orient.ForInventory(inv)})
}

func detector(t *testing.T) detect.Detector {
	return tunnel.New(tunnel.DefaultConfig(), detecttest.Inventory(t, devicetest.Carrier))
}
