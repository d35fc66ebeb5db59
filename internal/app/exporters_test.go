package app

import (
	"net/netip"
	"testing"
	"time"

	"tapwatch/console"
	"tapwatch/flow"
	"tapwatch/inventory"
	"tapwatch/storage"
)

// TestMendedFaultsGo: within two intervals, also of a sender of which no more rows come.
func TestMendedFaultsGo(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	row := func(n byte, ago time.Duration, dropped map[string]uint64) storage.ExporterHealth {
		return storage.ExporterHealth{
			Latest: flow.Health{
				At: now.Add(-ago), Exporter: netip.AddrFrom4([4]byte{10, 0, 0, n}), ExportProtocols: []string{"ipfix"},
				Datagrams: 60, Records: 600, Templates: 1, Dropped: dropped, LastReceivedAt: now.Add(-ago),
			},
			Recent: storage.HealthCounts{Datagrams: 3600, Records: 36_000, Dropped: map[string]uint64{"truncated": 40}},
		}
	}
	still := map[string]uint64{"truncated": 1}
	all := storedStatuses([]storage.ExporterHealth{
		row(1, 0, nil), row(2, 0, still), row(3, time.Minute, still), row(4, 2*time.Minute, still),
	}, new(inventory.Inventory), time.Minute)
	for i, want := range []int{0, 1, 1, 0} {
		e := &all[i]
		e.Judge(now, 3*time.Minute)
		if len(e.Faults) != want || want == 0 && e.Status != console.StatusOK {
			t.Errorf("%s: %s, %d faults, notes %q", e.Address, e.Status, len(e.Faults), e.Notes)
		}
	}
}
