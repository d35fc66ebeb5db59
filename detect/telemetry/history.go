package telemetry

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/detect"
)

//go:embed rhythm.sql
var rhythmSQL string

//go:embed watched.sql
var watchedSQL string

// rhythm is how an exporter sent before it was last heard.
type rhythm struct {
	Addr       netip.Addr `ch:"exporter"`
	Buckets    uint64     `ch:"buckets"`
	GapSeconds uint64     `ch:"gap_seconds"`
}

// rhythms are the habits of those of the exporters that were heard often enough for
// their silence to mean something.
func (d *Detector) rhythms(ctx context.Context, h detect.History, exporters []exporter) (map[netip.Addr]rhythm, error) {
	if len(exporters) == 0 {
		return nil, nil
	}
	var rows []rhythm
	args := append(d.before(exporters), detect.Param("min_buckets", d.cfg.MinBuckets))
	if err := h.Select(ctx, &rows, rhythmSQL, args...); err != nil {
		return nil, fmt.Errorf("read the habits of %d exporters: %w", len(exporters), err)
	}
	all := make(map[netip.Addr]rhythm, len(rows))
	for _, r := range rows {
		all[r.Addr.Unmap()] = r
	}
	return all, nil
}

// watched is how many flows of protected systems each of the exporters reported
// before it fell silent.
func (d *Detector) watched(ctx context.Context, h detect.History, exporters []exporter) (map[netip.Addr]uint64, error) {
	if len(exporters) == 0 {
		return nil, nil
	}
	var rows []struct {
		Addr  netip.Addr `ch:"exporter"`
		Flows uint64     `ch:"flows"`
	}
	if err := h.Select(ctx, &rows, watchedSQL, d.before(exporters)...); err != nil {
		return nil, fmt.Errorf("count the protected flows of %d exporters: %w", len(exporters), err)
	}
	all := make(map[netip.Addr]uint64, len(rows))
	for _, r := range rows {
		all[r.Addr.Unmap()] = r.Flows
	}
	return all, nil
}

// before are the parameters that select the history of each of the exporters before
// it was last heard.
func (d *Detector) before(exporters []exporter) []any {
	addrs, lasts := make([]string, len(exporters)), make([]int64, len(exporters))
	since, until := exporters[0].Last, exporters[0].Last
	for i, x := range exporters {
		addrs[i], lasts[i] = x.Addr.String(), x.Last.UnixMilli()
		if x.Last.Before(since) {
			since = x.Last
		}
		if x.Last.After(until) {
			until = x.Last
		}
	}
	return []any{
		detect.Param("exporters", addrs), detect.Param("lasts", lasts),
		detect.Param("history", int64(d.cfg.History/time.Millisecond)),
		detect.Param("since", since.Add(-d.cfg.History)), detect.Param("until", until),
	}
}
