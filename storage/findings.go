package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
)

// InsertFindings stores findings; storedAt is now, by the clock of the detector. A
// finding of the same identity and window is replaced, and one that says the same as
// the stored one is left alone: the same window detected again changes nothing.
//
// Each stored finding gets a version, in microseconds since 1970 by storedAt and
// always greater than every version stored before. Where several tapwatch write side by
// side, what one stores may come to light after a greater version of another, and who
// resumes by version would miss it: then it gets a new version.
func (s *Store) InsertFindings(ctx context.Context, findings []alert.Finding, storedAt time.Time) error {
	if len(findings) == 0 {
		return nil
	}
	s.findings.Lock() // versions are read, chosen and written by one at a time
	defer s.findings.Unlock()
	rows, err := s.changedFindings(ctx, findings)
	if err != nil {
		return fmt.Errorf("compare %d findings with the stored ones: %w", len(findings), err)
	}
	if len(rows) == 0 {
		return nil
	}
	last, err := s.NewestVersion(ctx)
	if err != nil {
		return err
	}
	now := uint64(max(storedAt.UnixMicro(), 0))
	for n := range maxRenumberings {
		if err := pause(ctx, n); err != nil {
			return fmt.Errorf("wait for others that store findings: %w", err)
		}
		for i := range rows {
			last = max(now, last+1)
			rows[i].Version, rows[i].StoredAt = last, storedTime(storedAt)
		}
		if err := insertRows(ctx, s, "findings", rows, ""); err != nil {
			return fmt.Errorf("insert %d findings: %w", len(rows), err)
		}
		newest, alone, err := s.aloneSince(ctx, rows)
		if err != nil || alone {
			return err
		}
		last = newest
	}
	s.log.Warn("several tapwatch store findings without a pause: who follows the alerts by version may miss some of them", "findings", len(rows))
	return nil
}

// maxRenumberings bounds how often the same findings are stored because others stored
// some at the same time.
const maxRenumberings = 10

// pause lets others come to an end, longer each time and each its own while.
func pause(ctx context.Context, renumbered int) error {
	if renumbered == 0 {
		return nil
	}
	timer := time.NewTimer(rand.N(10 * time.Millisecond << renumbered))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// aloneSince tells whether nobody else has stored a finding since the first of rows was
// numbered.
func (s *Store) aloneSince(ctx context.Context, rows []findingRow) (newest uint64, alone bool, err error) {
	var stored uint64
	err = s.QueryRow(ctx, "SELECT max(version), countIf(version >= {first:UInt64}) FROM findings",
		clickhouse.Named("first", rows[0].Version)).Scan(&newest, &stored)
	if err != nil {
		return 0, false, fmt.Errorf("compare the versions of %d findings with those of others: %w", len(rows), err)
	}
	return newest, newest == rows[len(rows)-1].Version && stored == uint64(len(rows)), nil
}

// NewestVersion is the greatest version of any stored finding, and so of any alert;
// 0 if none is stored.
func (s *Store) NewestVersion(ctx context.Context) (version uint64, err error) {
	if err := s.QueryRow(ctx, "SELECT max(version) FROM findings").Scan(&version); err != nil {
		return 0, fmt.Errorf("read the newest version of the findings: %w", err)
	}
	return version, nil
}

// changedFindings gives the rows of the findings that are not stored as they are.
func (s *Store) changedFindings(ctx context.Context, findings []alert.Finding) ([]findingRow, error) {
	ids := make([]string, len(findings))
	starts := make([]int64, len(findings))
	for i := range findings {
		ids[i], starts[i] = findings[i].ID, storedTime(findings[i].WindowStart).UnixMilli()
	}
	slices.Sort(starts)
	starts = slices.Compact(starts) // mostly one: the findings of a window
	var stored []findingRow
	err := s.Select(ctx, &stored,
		"SELECT * FROM findings FINAL WHERE id IN {ids:Array(String)} AND toUnixTimestamp64Milli(window_start) IN {starts:Array(Int64)}",
		clickhouse.Named("ids", ids), clickhouse.Named("starts", starts))
	if err != nil {
		return nil, err
	}
	type key struct {
		id    string
		start int64
	}
	known := make(map[key]*findingColumns, len(stored))
	for i := range stored {
		known[key{stored[i].ID, stored[i].WindowStart.UnixMilli()}] = &stored[i].findingColumns
	}
	var changed []findingRow
	for i := range findings {
		columns := columnsOf(&findings[i])
		at := key{columns.ID, columns.WindowStart.UnixMilli()}
		if old := known[at]; old == nil || !sameFinding(old, &columns) {
			changed = append(changed, findingRow{findingColumns: columns, sightingColumns: sightingsOf(&findings[i])})
			known[at] = &columns
		}
	}
	return changed, nil
}

// sameFinding compares by content; DeepEqual on times would compare their locations.
func sameFinding(a, b *findingColumns) bool {
	x, y := *a, *b
	for _, c := range []*findingColumns{&x, &y} {
		for _, t := range []*time.Time{&c.WindowStart, &c.WindowEnd, &c.FirstSeen, &c.LastSeen} {
			*t = storedTime(*t)
		}
	}
	return reflect.DeepEqual(x, y)
}

// insertRows stores structs with `ch` tags in one insert. Where a token is given,
// and the table remembers tokens, an insert with the token of one that was stored
// stores nothing.
func insertRows[T any](ctx context.Context, s *Store, table string, rows []T, token string) error {
	settings := clickhouse.Settings{"async_insert": 0}
	if token != "" {
		settings["insert_deduplicate"], settings["insert_deduplication_token"] = 1, token
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(settings))
	batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO "+table)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := batch.AppendStruct(&rows[i]); err != nil {
			_ = batch.Abort() // the first error tells more
			return err
		}
	}
	return s.orAway(batch.Send())
}
