// Package zone tags both ends of a flow with the inventory's zone, its kind, the
// asset and its role, and marks the records that touch a protected zone.
package zone

import (
	"sync/atomic"

	"tapwatch/flow"
	"tapwatch/inventory"
)

// Enricher fills the zone, zone kind, asset and role columns, AssetEnd and Watched.
type Enricher struct {
	inventory func() *inventory.Inventory
	known     atomic.Pointer[table]
}

// New returns an Enricher that asks inv once a batch for the inventory in force.
func New(inv func() *inventory.Inventory) *Enricher { return &Enricher{inventory: inv} }

// Name gives "zone".
func (e *Enricher) Name() string { return "zone" }

// table gives the table of the inventory in force and makes it when that is a new
// one.
func (e *Enricher) table() *table {
	v := e.inventory()
	t := e.known.Load()
	if t == nil || t.of != v {
		t = newTable(v)
		e.known.Store(t)
	}
	return t
}

// chunk is how many records are looked up before their columns are filled: few
// enough for their numbers to stay in the processor's first cache.
const chunk = 256

// Enrich tags every record of b. An end outside all zones gets empty tags.
func (e *Enricher) Enrich(b *flow.Batch) {
	t := e.table()
	var src, dst [chunk]uint32
	for from := 0; from < b.Len(); from += chunk {
		to := min(from+chunk, b.Len())
		t.numbers.Lookup(b.SrcAddr[from:to], src[:])
		t.numbers.Lookup(b.DstAddr[from:to], dst[:])
		t.fill(src[:to-from], b.SrcZone[from:to], b.SrcZoneKind[from:to], b.SrcAsset[from:to], b.SrcRole[from:to])
		t.fill(dst[:to-from], b.DstZone[from:to], b.DstZoneKind[from:to], b.DstAsset[from:to], b.DstRole[from:to])
		t.watch(b, from, src[:to-from], dst[:to-from])
	}
}
