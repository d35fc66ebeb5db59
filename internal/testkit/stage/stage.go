// Package stage opens the stage on which detectors are tested: a fresh database of the
// test binary's engine, and the pipeline's own tags.
package stage

import (
	"testing"

	"tapwatch/detect/detecttest"
	"tapwatch/enrich"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// Open gives a stage on a fresh database; see On.
func Open(t testing.TB, yaml string, further ...enrich.Enricher) *detecttest.Stage {
	t.Helper()
	return On(t, testkit.Store(t), yaml, further...)
}

// On gives a stage on the store. Its flows are tagged with the inventory, given as YAML;
// further enrichments come after the zones, as in the pipeline.
func On(t testing.TB, store *storage.Store, yaml string, further ...enrich.Enricher) *detecttest.Stage {
	t.Helper()
	inv := detecttest.Inventory(t, yaml)
	chain := append(enrich.Chain{zone.New(inv)}, further...)
	return detecttest.NewStage(t, store, testkit.Writer(t, store), append(chain, orient.ForInventory(inv)))
}
