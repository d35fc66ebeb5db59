// Package zone tags both ends of a flow with the inventory's zone, its kind, the
// asset and its role, and marks the records that touch a protected zone.
package zone

import (
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Enricher fills the zone, zone kind, asset and role columns, and Watched.
type Enricher struct{ inventory func() *inventory.Inventory }

// New returns an Enricher that asks inv once a batch for the inventory in force.
func New(inv func() *inventory.Inventory) *Enricher { return &Enricher{inv} }

// Name gives "zone".
func (e *Enricher) Name() string { return "zone" }

// Enrich tags every record of b. An end outside all zones gets empty tags.
func (e *Enricher) Enrich(b *flow.Batch) {
	v := e.inventory()
	for i := range b.Len() {
		src, dst := v.Lookup(flow.Addr(b.SrcAddr[i])), v.Lookup(flow.Addr(b.DstAddr[i]))
		b.SrcZone[i], b.SrcZoneKind[i], b.SrcAsset[i], b.SrcRole[i] = src.Zone, src.Kind, src.Asset, src.Role
		b.DstZone[i], b.DstZoneKind[i], b.DstAsset[i], b.DstRole[i] = dst.Zone, dst.Kind, dst.Asset, dst.Role
		b.Watched[i] = src.Protected || dst.Protected
	}
}
