package policy_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/policy"
	"tapwatch/enrich"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a stage on a fresh database, with the pipeline's own tags.
func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	inv := detecttest.Inventory(t, detecttest.Operator)
	store := testkit.Store(t)
	writer := storage.NewWriter(store, storage.DefaultBatch(), testkit.Logger(t), prometheus.NewRegistry())
	return detecttest.NewStage(t, store, writer, enrich.Chain{zone.New(inv), orient.ForInventory(inv)})
}

func detector(t *testing.T) detect.Detector {
	return policy.New(policy.DefaultConfig(), detecttest.Inventory(t, detecttest.Operator))
}
