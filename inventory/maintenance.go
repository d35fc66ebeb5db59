package inventory

import (
	"net/netip"
	"slices"
	"time"
)

// Maintenance is a window in which alerts about some systems are held back.
type Maintenance struct {
	Name string
	// From and To bound the window: From is in it, To is not.
	From, To      time.Time
	Exporters     []netip.Addr
	Zones, Assets []string
	Ticket        string
}

// Subject is what an alert is about. Members that do not apply stay zero.
type Subject struct {
	// Exporter is a router; the zone and the asset that hold its address count as
	// well.
	Exporter    netip.Addr
	Zone, Asset string
}

// UnderMaintenance returns the first maintenance window that is open at the given
// time and names the exporter, the zone or the asset of the subject.
func (v *Inventory) UnderMaintenance(at time.Time, s Subject) (Maintenance, bool) {
	s.Exporter = plain(s.Exporter)
	router := v.Lookup(s.Exporter)
	for _, m := range v.Maintenance {
		if at.Before(m.From) || !at.Before(m.To) {
			continue
		}
		if m.names(s.Zone, s.Asset) || m.names(router.Zone, router.Asset) || slices.Contains(m.Exporters, s.Exporter) {
			return m, true
		}
	}
	return Maintenance{}, false
}

// names tells whether the window names the zone or the asset; empty names are
// never named.
func (m *Maintenance) names(zone, asset string) bool {
	return zone != "" && slices.Contains(m.Zones, zone) || asset != "" && slices.Contains(m.Assets, asset)
}
