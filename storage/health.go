package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

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
	LostRecords       uint64            `ch:"lost_records"`
	LostDatagrams     uint64            `ch:"lost_datagrams"`
	LateDatagrams     uint64            `ch:"late_datagrams"`
	Restarts          uint64            `ch:"restarts"`
	Dropped           map[string]uint64 `ch:"dropped"`
	WaitingSets       uint32            `ch:"waiting_sets"`
	Templates         uint32            `ch:"templates"`
	SamplingIntervals []uint32          `ch:"sampling_intervals"`
	UnsampledRecords  uint64            `ch:"unsampled_records"`
	LastReceivedAt    time.Time         `ch:"last_received_at"`
}

// InsertHealthHistory is InsertHealth for many intervals of the past, in one insert, of
// which none was stored before.
func (s *Store) InsertHealthHistory(ctx context.Context, health []flow.Health) error {
	var rows []healthRow
	for _, some := range intervals(health) {
		rows = append(rows, some...)
	}
	if len(rows) == 0 {
		return nil
	}
	if err := insertRows(ctx, s, healthColumns, rows, ""); err != nil {
		return fmt.Errorf("insert %d rows of health: %w", len(rows), err)
	}
	return nil
}

// InsertHealth stores what the collector counted. Rows that were stored before,
// perhaps by an insert that seemed to fail, are not stored again: a caller may
// repeat them, alone or together with those of later intervals.
func (s *Store) InsertHealth(ctx context.Context, health []flow.Health) error {
	for _, rows := range intervals(health) {
		token, err := contentToken(rows)
		if err != nil {
			return fmt.Errorf("name the health of %d exporters: %w", len(rows), err)
		}
		if err := insertRows(ctx, s, healthColumns, rows, token); err != nil {
			return fmt.Errorf("insert the health of %d exporters: %w", len(rows), err)
		}
	}
	return nil
}

// healthColumns are what an insert into exporter_health gives.
const healthColumns = "exporter_health (at, collector, exporter, export_protocols, datagrams, bytes, records, options_records, " +
	"lost_records, lost_datagrams, late_datagrams, restarts, dropped, waiting_sets, templates, sampling_intervals, unsampled_records, last_received_at)"

// intervals gives the rows of each interval of each collector, which are counted
// together and so come back together, in the order in which they first come.
func intervals(health []flow.Health) (groups [][]healthRow) {
	type interval struct {
		at        int64
		collector string
	}
	index := map[interval]int{}
	for i := range health {
		row := healthRowOf(&health[i])
		key := interval{row.At.UnixMilli(), row.Collector}
		g, seen := index[key]
		if !seen {
			g = len(groups)
			index[key], groups = g, append(groups, nil)
		}
		groups[g] = append(groups[g], row)
	}
	return groups
}

// contentToken is a hash of the rows: the same for the same rows, whoever asks.
func contentToken(rows []healthRow) (string, error) {
	text, err := json.Marshal(rows) // the keys of maps are sorted
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func healthRowOf(h *flow.Health) healthRow {
	return healthRow{
		At: storedTime(h.At), Collector: h.Collector, Exporter: flow.FromAddr(h.Exporter),
		ExportProtocols: present(h.ExportProtocols),
		Datagrams:       h.Datagrams, Bytes: h.Bytes, Records: h.Records, OptionsRecords: h.OptionsRecords,
		LostRecords: h.LostRecords, LostDatagrams: h.LostDatagrams, LateDatagrams: h.LateDatagrams, Restarts: h.Restarts,
		Dropped: h.Dropped, WaitingSets: h.WaitingSets, Templates: h.Templates, SamplingIntervals: h.SamplingIntervals,
		UnsampledRecords: h.UnsampledRecords, LastReceivedAt: storedTime(h.LastReceivedAt),
	}
}
