// Package enrich completes flow records in place: each enrichment, a package of
// its own below this one, fills the columns it owns.
//
// Enrichments work on a whole batch, never block and never fail: what they do not
// know stays zero. Those that go by address make a partition of what they know when
// they read it, so that a record costs the same few loads from memory however much
// that is. To add one: a package here that passes enrichtest, and its line in the
// registry of internal/app.
package enrich

import "tapwatch/flow"

// Enricher fills columns of a batch.
type Enricher interface {
	// Name is its folder's name: geo, zone, intel, orient.
	Name() string
	// Enrich fills its own columns for every record of b and leaves the others
	// alone. It allocates nothing per record and is safe for concurrent use on
	// batches of their own, and while the enrichment's sources are reloaded.
	Enrich(b *flow.Batch)
}

// Chain is several enrichments, in order. It is an Enricher itself.
type Chain []Enricher

// Name gives "chain".
func (c Chain) Name() string { return "chain" }

// Enrich runs the enrichments on b one after the other.
func (c Chain) Enrich(b *flow.Batch) {
	for _, e := range c {
		e.Enrich(b)
	}
}
