package detect_test

import (
	"testing"

	"tapwatch/detect/detecttest"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// open gives a store and a stage on it, with the pipeline's own tags.
func open(t *testing.T) (*storage.Store, *detecttest.Stage) {
	t.Helper()
	store := testkit.Store(t)
	return store, stage.On(t, store, detecttest.Operator)
}
