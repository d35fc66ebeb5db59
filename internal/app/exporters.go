package app

import (
	"context"
	"net/netip"
	"time"

	"tapwatch/console"
	"tapwatch/inventory"
	"tapwatch/storage"
)

// listedExporters is what the collector asks of the inventory in force.
type listedExporters struct{ live *inventory.Live }

func (l listedExporters) Version() any { return l.live.Load() }

func (l listedExporters) Exporter(a netip.Addr) (sampling uint32, listed bool) {
	e, ok := l.live.Load().Exporter(a)
	return e.Sampling, ok
}

// recent is how far back what was lost counts as a problem of today.
const recent = time.Hour

// remembered is how far back the collector's counts are read. While it runs, it
// counts for exporters that fell silent too.
const remembered = 24 * time.Hour

// exporterStatuses is what the console asks about exporters.
type exporterStatuses struct {
	backend   *backend
	inventory *inventory.Live
	// interval is collector.health_interval, for the rates.
	interval time.Duration
}

// Exporters gives what the collector stored and what the inventory lists
// (console.Exporters).
func (s exporterStatuses) Exporters(ctx context.Context) ([]console.ExporterStatus, error) {
	store, err := s.backend.opened()
	if err != nil {
		return nil, err
	}
	return exporterFacts(ctx, store, s.inventory.Load(), s.interval)
}

// Exporters gives what is stored about each exporter and listed in the inventory,
// with a judgement of what is wrong: what `tapwatch doctor` prints.
func Exporters(ctx context.Context, cfg Config, store *storage.Store) ([]console.ExporterStatus, error) {
	live, err := cfg.loadInventory()
	if err != nil {
		return nil, err
	}
	all, err := exporterFacts(ctx, store, live.Load(), cfg.Collector.HealthInterval)
	for i := range all {
		all[i].Judge(time.Now(), cfg.Console.SilentAfter)
	}
	return all, err
}

// exporterFacts joins the stored health of the last day with the inventory. An
// exporter that is listed and of which nothing is stored has a row too.
func exporterFacts(ctx context.Context, store *storage.Store, inv *inventory.Inventory, interval time.Duration) ([]console.ExporterStatus, error) {
	now := time.Now()
	stored, err := store.LatestHealth(ctx, now.Add(-remembered), now.Add(-recent))
	if err != nil {
		return nil, err
	}
	all := storedStatuses(stored, inv, interval)
	heard := map[netip.Addr]bool{}
	for i := range all {
		heard[all[i].Address] = true
	}
	for _, e := range inv.Exporters {
		if !heard[e.Address] {
			all = append(all, console.ExporterStatus{
				Address: e.Address, Name: e.Name, Site: e.Site, Listed: true, Platform: e.Platform, ExpectedSampling: e.Sampling,
			})
		}
	}
	return all, nil
}

// storedStatuses joins the stored health with the inventory.
func storedStatuses(stored []storage.ExporterHealth, inv *inventory.Inventory, interval time.Duration) []console.ExporterStatus {
	var newest time.Time
	for i := range stored {
		if at := stored[i].Latest.At; at.After(newest) {
			newest = at
		}
	}
	here := droppedByCollector(stored)
	all := make([]console.ExporterStatus, len(stored))
	for i, h := range stored {
		all[i] = exporterStatus(h, inv, interval)
		all[i].DroppedByCollector = here
		if newest.Sub(h.Latest.At) < 2*interval { // else nothing of it was counted since
			all[i].Latest = latestCounts(h)
		}
	}
	return all
}

// latestCounts are those of the last interval.
func latestCounts(h storage.ExporterHealth) *console.IntervalCounts {
	l := &h.Latest
	return &console.IntervalCounts{
		Datagrams: l.Datagrams, Records: l.Records, UnsampledRecords: l.UnsampledRecords,
		LostRecords: l.LostRecords, LostDatagrams: l.LostDatagrams, Dropped: l.Dropped,
	}
}

// droppedByCollector counts the datagrams of the last hour that arrived and for which
// the collector had no room. It mostly does not know whose they were.
func droppedByCollector(stored []storage.ExporterHealth) (n uint64) {
	for _, h := range stored {
		n += h.Recent.Dropped["socket_buffer_full"] + h.Recent.Dropped["queue_full"]
	}
	return n
}

func exporterStatus(h storage.ExporterHealth, inv *inventory.Inventory, interval time.Duration) console.ExporterStatus {
	seconds := interval.Seconds()
	s := console.ExporterStatus{
		Address:            h.Latest.Exporter,
		Protocols:          h.Latest.ExportProtocols,
		IntervalEnd:        h.Latest.At,
		IntervalSeconds:    seconds,
		Latest:             new(console.IntervalCounts),
		DatagramsPerSecond: float64(h.Latest.Datagrams) / seconds,
		RecordsPerSecond:   float64(h.Latest.Records) / seconds,
		BytesPerSecond:     float64(h.Latest.Bytes) / seconds,
		Datagrams:          h.Recent.Datagrams,
		Records:            h.Recent.Records,
		OptionsRecords:     h.Recent.OptionsRecords,
		UnsampledRecords:   h.Recent.UnsampledRecords,
		Dropped:            h.Recent.Dropped,
		LostRecords:        h.Recent.LostRecords,
		LostDatagrams:      h.Recent.LostDatagrams,
		LateDatagrams:      h.Recent.LateDatagrams,
		Restarts:           h.Recent.Restarts,
		WaitingSets:        h.Latest.WaitingSets,
		LastReceivedAt:     h.Latest.LastReceivedAt,
		Templates:          h.Latest.Templates,
		SamplingIntervals:  h.Latest.SamplingIntervals,
	}
	if !s.Address.IsValid() {
		// The collector's row for senders beyond its limit of exporters.
		s.Address, s.Name = netip.IPv6Unspecified(), "all others"
	}
	if e, ok := inv.Exporter(s.Address); ok {
		s.Listed, s.Name, s.Site, s.Platform, s.ExpectedSampling = true, e.Name, e.Site, e.Platform, e.Sampling
	}
	return s
}
