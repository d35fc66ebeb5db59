package storage

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/flow"
)

// maxExporters is how many exporters LatestHealth tells of.
const maxExporters = 5000

// ExporterHealth sums up one exporter.
type ExporterHealth struct {
	// Latest is its last interval.
	Latest flow.Health
	// Recent counts the intervals that ended after the time asked for.
	Recent HealthCounts
}

// HealthCounts are the counts of flow.Health over several intervals.
type HealthCounts struct {
	Datagrams, Bytes, Records, OptionsRecords, UnsampledRecords uint64
	LostRecords, LostDatagrams, LateDatagrams, Restarts         uint64
	// Dropped is never nil.
	Dropped map[string]uint64
}

const latestHealth = `
WITH fromUnixTimestamp64Milli({since:Int64}, 'UTC') AS since
SELECT
    h.exporter AS exporter,
    max(h.at) AS at,
    argMax(h.collector, h.at) AS collector,
    argMax(h.export_protocols, h.at) AS export_protocols,
    argMax(h.datagrams, h.at) AS datagrams,
    argMax(h.bytes, h.at) AS bytes,
    argMax(h.records, h.at) AS records,
    argMax(h.options_records, h.at) AS options_records,
    argMax(h.lost_records, h.at) AS lost_records,
    argMax(h.lost_datagrams, h.at) AS lost_datagrams,
    argMax(h.late_datagrams, h.at) AS late_datagrams,
    argMax(h.restarts, h.at) AS restarts,
    argMax(h.dropped, h.at) AS dropped,
    argMax(h.waiting_sets, h.at) AS waiting_sets,
    argMax(h.templates, h.at) AS templates,
    argMax(h.sampling_intervals, h.at) AS sampling_intervals,
    argMax(h.unsampled_records, h.at) AS unsampled_records,
    max(h.last_received_at) AS last_received_at,
    sumIf(h.datagrams, h.at > since) AS recent_datagrams,
    sumIf(h.bytes, h.at > since) AS recent_bytes,
    sumIf(h.records, h.at > since) AS recent_records,
    sumIf(h.options_records, h.at > since) AS recent_options_records,
    sumIf(h.unsampled_records, h.at > since) AS recent_unsampled_records,
    sumIf(h.lost_records, h.at > since) AS recent_lost_records,
    sumIf(h.lost_datagrams, h.at > since) AS recent_lost_datagrams,
    sumIf(h.late_datagrams, h.at > since) AS recent_late_datagrams,
    sumIf(h.restarts, h.at > since) AS recent_restarts,
    sumMapIf(h.dropped, h.at > since) AS recent_dropped
FROM exporter_health AS h
WHERE h.at > fromUnixTimestamp64Milli({oldest:Int64}, 'UTC')
GROUP BY exporter
ORDER BY last_received_at DESC, exporter
LIMIT {limit:UInt32}`

// latestHealthRow is a row of latestHealth.
type latestHealthRow struct {
	healthRow

	RecentDatagrams        uint64            `ch:"recent_datagrams"`
	RecentBytes            uint64            `ch:"recent_bytes"`
	RecentRecords          uint64            `ch:"recent_records"`
	RecentOptionsRecords   uint64            `ch:"recent_options_records"`
	RecentUnsampledRecords uint64            `ch:"recent_unsampled_records"`
	RecentLostRecords      uint64            `ch:"recent_lost_records"`
	RecentLostDatagrams    uint64            `ch:"recent_lost_datagrams"`
	RecentLateDatagrams    uint64            `ch:"recent_late_datagrams"`
	RecentRestarts         uint64            `ch:"recent_restarts"`
	RecentDropped          map[string]uint64 `ch:"recent_dropped"`
}

// LatestHealth sums up the exporters of which an interval ended after oldest,
// ordered by address; intervals that ended after since, which is not before oldest,
// count as recent. A reader pays for all that is stored after oldest. Of more than
// 5000 exporters it tells of those from which a datagram came last, the lower
// address first between equals.
func (s *Store) LatestHealth(ctx context.Context, oldest, since time.Time) ([]ExporterHealth, error) {
	return s.latestHealth(ctx, oldest, since, maxExporters)
}

func (s *Store) latestHealth(ctx context.Context, oldest, since time.Time, limit uint32) ([]ExporterHealth, error) {
	var rows []latestHealthRow
	err := s.Select(ctx, &rows, latestHealth, clickhouse.Named("oldest", oldest.UnixMilli()),
		clickhouse.Named("since", since.UnixMilli()), clickhouse.Named("limit", limit))
	if err != nil {
		return nil, fmt.Errorf("read the health of the exporters: %w", err)
	}
	slices.SortFunc(rows, func(a, b latestHealthRow) int { return bytes.Compare(a.Exporter[:], b.Exporter[:]) })
	all := make([]ExporterHealth, len(rows))
	for i := range rows {
		all[i] = rows[i].health()
	}
	return all, nil
}

func (r *latestHealthRow) health() ExporterHealth {
	return ExporterHealth{
		Latest: flow.Health{
			At: readTime(r.At), Collector: r.Collector, Exporter: flow.Addr(r.Exporter),
			ExportProtocols: r.ExportProtocols,
			Datagrams:       r.Datagrams, Bytes: r.Bytes, Records: r.Records, OptionsRecords: r.OptionsRecords,
			LostRecords: r.LostRecords, LostDatagrams: r.LostDatagrams, LateDatagrams: r.LateDatagrams, Restarts: r.Restarts,
			Dropped: r.Dropped, WaitingSets: r.WaitingSets, Templates: r.Templates, SamplingIntervals: r.SamplingIntervals,
			UnsampledRecords: r.UnsampledRecords, LastReceivedAt: readTime(r.LastReceivedAt),
		},
		Recent: HealthCounts{
			Datagrams: r.RecentDatagrams, Bytes: r.RecentBytes, Records: r.RecentRecords,
			OptionsRecords: r.RecentOptionsRecords, UnsampledRecords: r.RecentUnsampledRecords,
			LostRecords: r.RecentLostRecords, LostDatagrams: r.RecentLostDatagrams,
			LateDatagrams: r.RecentLateDatagrams, Restarts: r.RecentRestarts,
			Dropped: r.RecentDropped,
		},
	}
}
