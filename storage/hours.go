package storage

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

//go:embed hours.sql
var hoursSQL string

// FinishHour makes the rows of pair_hours of the hour that begins then, from its
// sessions, and notes it as complete. Made again from the same sessions they are stored
// once.
func (s *Store) FinishHour(ctx context.Context, hour time.Time) error {
	end := hour.Add(time.Hour)
	var rows, bytes uint64
	err := s.QueryRow(ctx, "SELECT count(), sum(bytes_in + bytes_out) FROM sessions WHERE pane >= {from:DateTime} AND pane < {to:DateTime}",
		clickhouse.Named("from", hour.UTC()), clickhouse.Named("to", end.UTC())).Scan(&rows, &bytes)
	if err != nil {
		return fmt.Errorf("count the sessions of the hour of %s: %w", hour.UTC().Format(time.RFC3339), err)
	}
	if rows > 0 {
		if err := s.makeHours(ctx, hour, end, fmt.Sprintf("pair_hours/%d/%d/%d", hour.Unix(), rows, bytes)); err != nil {
			return err
		}
	}
	return s.markHours(ctx, hour, end)
}

// makeHours stores the rows of pair_hours of whole hours.
func (s *Store) makeHours(ctx context.Context, from, to time.Time, token string) error {
	settings := once(token)
	settings["insert_select_deduplicate"] = "auto"
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(settings))
	err := s.Exec(ctx, "INSERT INTO pair_hours ("+hourColumns+")\n"+hoursSQL, clickhouse.Named("from", from.Unix()), clickhouse.Named("to", to.Unix()))
	if err != nil {
		return fmt.Errorf("make the hours from %s to %s: %w", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// hourColumns are what hours.sql gives.
const hourColumns = `hour, asset, asset_addr, peer_addr, protocol, port, asset_serves, initiator,
    asset_name, asset_zone, asset_zone_kind, asset_role, peer_name, peer_zone, peer_zone_kind, peer_role, peer_country, peer_asn, peer_as_org,
    active, established, answered, begun, flows, bytes_in, bytes_out, packets_in, packets_out, active_ms, first_seen, last_seen,
    starts, start_bytes_in, start_bytes_out, least_sampling, exporters`

// countHours counts the watched records of each hour.
const countHours = `SELECT toStartOfHour(received_at) AS hour, count() AS records
FROM watched_flows
WHERE received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND received_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
GROUP BY hour`

// markHours notes the hours as complete, with how many records they were made from; not
// those that are noted so, for a new note says that the hour was made anew.
func (s *Store) markHours(ctx context.Context, from, to time.Time) error {
	var counted []historyHour
	if err := s.Select(ctx, &counted, countHours, clickhouse.Named("from", from.UnixMilli()), clickhouse.Named("to", to.UnixMilli())); err != nil {
		return fmt.Errorf("count the records of the hours from %s: %w", from.UTC().Format(time.RFC3339), err)
	}
	records := map[int64]uint64{}
	for _, c := range counted {
		records[c.Hour.Unix()] = c.Records
	}
	var noted []historyHour
	if err := s.Select(ctx, &noted, `SELECT hour, argMax(records, h.stored_at) AS records, max(h.stored_at) AS stored_at FROM history_hours AS h
WHERE hour >= toDateTime({from:Int64}, 'UTC') AND hour < toDateTime({to:Int64}, 'UTC') GROUP BY hour`,
		clickhouse.Named("from", from.Unix()), clickhouse.Named("to", to.Unix())); err != nil {
		return fmt.Errorf("read which hours from %s are noted as complete: %w", from.UTC().Format(time.RFC3339), err)
	}
	known := map[int64]uint64{}
	for _, n := range noted {
		known[n.Hour.Unix()] = n.Records
	}
	now := storedTime(time.Now())
	var rows []historyHour
	for h := from; h.Before(to); h = h.Add(time.Hour) {
		if n, is := known[h.Unix()]; !is || n != records[h.Unix()] {
			rows = append(rows, historyHour{Hour: h.UTC(), Records: records[h.Unix()], StoredAt: now})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := insertRows(ctx, s, "history_hours", rows, ""); err != nil {
		return fmt.Errorf("note the hours from %s as complete: %w", from.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// historyHour is a row of table history_hours.
type historyHour struct {
	Hour     time.Time `ch:"hour"`
	Records  uint64    `ch:"records"`
	StoredAt time.Time `ch:"stored_at"`
}

// StaleHours are the hours in [from, to), of which the bounds are whole hours, whose
// sessions were never made from all records that are stored of them: those before
// tapwatch knew sessions, those replayed, those in which it was down.
func (s *Store) StaleHours(ctx context.Context, from, to time.Time) ([]time.Time, error) {
	var rows []historyHour
	err := s.Select(ctx, &rows, `SELECT counted.hour AS hour, counted.records AS records, now64(3) AS stored_at
FROM (`+countHours+`) AS counted
GLOBAL LEFT JOIN (SELECT hour, argMax(records, stored_at) AS records FROM history_hours GROUP BY hour) AS made ON counted.hour = made.hour
WHERE counted.records != made.records
ORDER BY hour`, clickhouse.Named("from", from.UnixMilli()), clickhouse.Named("to", to.UnixMilli()))
	if err != nil {
		return nil, fmt.Errorf("look for hours without history: %w", err)
	}
	hours := make([]time.Time, len(rows))
	for i := range rows {
		hours[i] = rows[i].Hour.UTC()
	}
	return hours, nil
}

// maxHourSessions is how many sessions one statement makes hours of, unless a single hour
// has more: ClickHouse sorts them, and each hour's together with those an hour and a half
// before it, in memory.
const maxHourSessions = 250_000

// HourMade tells whether the hour is noted as complete, and whether records of it were
// stored since.
func (s *Store) HourMade(ctx context.Context, hour time.Time) (made, stale bool, err error) {
	var notes uint64
	err = s.QueryRow(ctx, "SELECT count() FROM history_hours WHERE hour = toDateTime({hour:Int64}, 'UTC')", clickhouse.Named("hour", hour.Unix())).Scan(&notes)
	if err != nil {
		return false, false, fmt.Errorf("ask whether the hour of %s is made: %w", hour.UTC().Format(time.RFC3339), err)
	}
	if notes == 0 {
		return false, false, nil
	}
	again, err := s.StaleHours(ctx, hour, hour.Add(time.Hour))
	return true, len(again) > 0, err
}

// Followed is Progress, and when that was saved, by the clock of who saved it.
func (s *Store) Followed(ctx context.Context, detector string) (end, noted time.Time, err error) {
	err = s.QueryRow(ctx, "SELECT max(window_end), max(stored_at) FROM detect_progress WHERE detector = {detector:String}",
		clickhouse.Named("detector", detector)).Scan(&end, &noted)
	if err != nil {
		return end, noted, fmt.Errorf("read how far detector %s follows: %w", detector, err)
	}
	return readTime(end), readTime(noted), nil
}

// FinishHours is FinishHour for all of the whole hours in [from, to), whose sessions
// were stored anew after ForgetSessions.
func (s *Store) FinishHours(ctx context.Context, from, to time.Time) error {
	var counted []historyHour
	err := s.Select(ctx, &counted, `SELECT toStartOfHour(pane) AS hour, count() AS records, now64(3) AS stored_at
FROM sessions
WHERE pane >= toDateTime({from:Int64}, 'UTC') AND pane < toDateTime({to:Int64}, 'UTC')
GROUP BY hour
ORDER BY hour`, clickhouse.Named("from", from.Unix()), clickhouse.Named("to", to.Unix()))
	if err != nil {
		return fmt.Errorf("count the sessions of the hours from %s: %w", from.UTC().Format(time.RFC3339), err)
	}
	for i := 0; i < len(counted); {
		n, sessions := i+1, counted[i].Records
		for n < len(counted) && sessions+counted[n].Records <= maxHourSessions {
			sessions += counted[n].Records
			n++
		}
		if err := s.makeHours(ctx, counted[i].Hour, counted[n-1].Hour.Add(time.Hour), ""); err != nil {
			return err
		}
		i = n
	}
	return s.markHours(ctx, from, to)
}

// ForgetSessions deletes the sessions and the pair_hours of the whole hours in [from,
// to), so that they can be made anew.
func (s *Store) ForgetSessions(ctx context.Context, from, to time.Time) error {
	err := s.eachShard(ctx, func(conn driver.Conn) error { // a Distributed table deletes nothing
		// What vouches for the others goes first.
		for _, t := range [][2]string{{"history_hours", "hour"}, {"pair_hours", "hour"}, {"sessions", "pane"}} {
			err := conn.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s >= toDateTime(%d) AND %[2]s < toDateTime(%[4]d)", s.layout.Table(t[0]), t[1], from.Unix(), to.Unix()))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete the sessions from %s to %s: %w", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339), err)
	}
	return nil
}
