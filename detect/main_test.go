package detect_test

import (
	"testing"

	"tapwatch/detect/detecttest"
	"tapwatch/enrich"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a store and a stage on it, with the pipeline's own tags.
func open(t *testing.T) (*storage.Store, *detecttest.Stage) {
	t.Helper()
	inv := detecttest.Inventory(t, detecttest.Operator)
	store := testkit.Store(t)
	writer := testkit.Writer(t, store)
	return store, detecttest.NewStage(t, store, writer, enrich.Chain{zone.New(inv), orient.ForInventory(inv)})
}
