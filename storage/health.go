package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/flow"
)

// healthRow is a row of table exporter_health.
type healthRow struct {
	At                time.Time         `ch:"at"`
	Collector         string            `ch:"collector"`
	Exporter          [16]byte          `ch:"exporter"`
	ExportProtocols   []string          `ch:"export_protocols"`
	Datagrams         uint64            `ch:"datagrams"`
	Bytes             uint64            `ch:"bytes"`
	Records           uint64            `ch:"records"`
	OptionsRecords    uint64            `ch:"options_records"`
	Dropped           map[string]uint64 `ch:"dropped"`
	Templates         uint32            `ch:"templates"`
	SamplingIntervals []uint32          `ch:"sampling_intervals"`
	UnsampledRecords  uint64            `ch:"unsampled_records"`
	LastReceivedAt    time.Time         `ch:"last_received_at"`
}

// InsertHealth stores what the collector counted.
func (s *Store) InsertHealth(ctx context.Context, health []flow.Health) error {
	if len(health) == 0 {
		return nil
	}
	rows := make([]healthRow, len(health))
	for i, h := range health {
		rows[i] = healthRow{
			At: storedTime(h.At), Collector: h.Collector, Exporter: flow.FromAddr(h.Exporter),
			ExportProtocols: present(h.ExportProtocols),
			Datagrams:       h.Datagrams, Bytes: h.Bytes, Records: h.Records, OptionsRecords: h.OptionsRecords,
			Dropped: h.Dropped, Templates: h.Templates, SamplingIntervals: h.SamplingIntervals,
			UnsampledRecords: h.UnsampledRecords, LastReceivedAt: storedTime(h.LastReceivedAt),
		}
	}
	const columns = "exporter_health (at, collector, exporter, export_protocols, datagrams, bytes, records, options_records, " +
		"dropped, templates, sampling_intervals, unsampled_records, last_received_at)"
	if err := insertRows(ctx, s.conn, columns, rows); err != nil {
		return fmt.Errorf("insert the health of %d exporters: %w", len(rows), err)
	}
	return nil
}

// ExporterHealth sums up one exporter.
type ExporterHealth struct {
	// Latest is its last interval.
	Latest flow.Health
	// FirstAt is the end of its first stored interval.
	FirstAt time.Time
	// Recent counts the intervals that ended after the time asked for, Total all
	// that are stored.
	Recent, Total HealthCounts
}

// HealthCounts are the counts of flow.Health over several intervals.
type HealthCounts struct {
	Datagrams, Bytes, Records, OptionsRecords, UnsampledRecords uint64
	// Dropped is never nil.
	Dropped map[string]uint64
}

const latestHealth = `
WITH fromUnixTimestamp64Milli({since:Int64}, 'UTC') AS since
SELECT
    h.exporter AS exporter,
    max(h.at) AS at,
    min(h.at) AS first_at,
    argMax(h.collector, h.at) AS collector,
    argMax(h.export_protocols, h.at) AS export_protocols,
    argMax(h.datagrams, h.at) AS datagrams,
    argMax(h.bytes, h.at) AS bytes,
    argMax(h.records, h.at) AS records,
    argMax(h.options_records, h.at) AS options_records,
    argMax(h.dropped, h.at) AS dropped,
    argMax(h.templates, h.at) AS templates,
    argMax(h.sampling_intervals, h.at) AS sampling_intervals,
    argMax(h.unsampled_records, h.at) AS unsampled_records,
    max(h.last_received_at) AS last_received_at,
    sumIf(h.datagrams, h.at > since) AS recent_datagrams,
    sumIf(h.bytes, h.at > since) AS recent_bytes,
    sumIf(h.records, h.at > since) AS recent_records,
    sumIf(h.options_records, h.at > since) AS recent_options_records,
    sumIf(h.unsampled_records, h.at > since) AS recent_unsampled_records,
    sumMapIf(h.dropped, h.at > since) AS recent_dropped,
    sum(h.datagrams) AS total_datagrams,
    sum(h.bytes) AS total_bytes,
    sum(h.records) AS total_records,
    sum(h.options_records) AS total_options_records,
    sum(h.unsampled_records) AS total_unsampled_records,
    sumMap(h.dropped) AS total_dropped
FROM exporter_health AS h
GROUP BY exporter
ORDER BY exporter`

// latestHealthRow is a row of latestHealth.
type latestHealthRow struct {
	healthRow
	FirstAt time.Time `ch:"first_at"`

	RecentDatagrams        uint64            `ch:"recent_datagrams"`
	RecentBytes            uint64            `ch:"recent_bytes"`
	RecentRecords          uint64            `ch:"recent_records"`
	RecentOptionsRecords   uint64            `ch:"recent_options_records"`
	RecentUnsampledRecords uint64            `ch:"recent_unsampled_records"`
	RecentDropped          map[string]uint64 `ch:"recent_dropped"`

	TotalDatagrams        uint64            `ch:"total_datagrams"`
	TotalBytes            uint64            `ch:"total_bytes"`
	TotalRecords          uint64            `ch:"total_records"`
	TotalOptionsRecords   uint64            `ch:"total_options_records"`
	TotalUnsampledRecords uint64            `ch:"total_unsampled_records"`
	TotalDropped          map[string]uint64 `ch:"total_dropped"`
}

// LatestHealth sums up every exporter of which something is stored, ordered by
// address; intervals that ended after since count as recent.
func (s *Store) LatestHealth(ctx context.Context, since time.Time) ([]ExporterHealth, error) {
	var rows []latestHealthRow
	if err := s.Select(ctx, &rows, latestHealth, clickhouse.Named("since", since.UnixMilli())); err != nil {
		return nil, fmt.Errorf("read the health of the exporters: %w", err)
	}
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
			Dropped: r.Dropped, Templates: r.Templates, SamplingIntervals: r.SamplingIntervals,
			UnsampledRecords: r.UnsampledRecords, LastReceivedAt: readTime(r.LastReceivedAt),
		},
		FirstAt: readTime(r.FirstAt),
		Recent: HealthCounts{
			r.RecentDatagrams, r.RecentBytes, r.RecentRecords, r.RecentOptionsRecords, r.RecentUnsampledRecords, r.RecentDropped,
		},
		Total: HealthCounts{
			r.TotalDatagrams, r.TotalBytes, r.TotalRecords, r.TotalOptionsRecords, r.TotalUnsampledRecords, r.TotalDropped,
		},
	}
}
