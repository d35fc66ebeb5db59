package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
)

// defaultLimit is how many alerts a query gives that does not say.
const defaultLimit = 100

// haystack is the text of an alert that alert.Query.Text is looked up in.
const haystack = `concat(title, '\n', summary, '\n', asset, '\n', peer_asset, '\n', asset_zone, '\n', peer_zone, '\n',
    asset_as_org, '\n', peer_as_org, '\n',
    replaceRegexpOne(toString(asset_addr), '^::ffff:([0-9.]+)$', '\\1'), '\n', replaceRegexpOne(toString(peer_addr), '^::ffff:([0-9.]+)$', '\\1'))`

// changedAfter selects by version. That alone would fold every finding ever stored;
// the identities, which are the key of the table, leave those that changed.
const changedAfter = "id GLOBAL IN (SELECT id FROM findings WHERE version > {after:UInt64}) AND version > {after:UInt64}"

// Alerts gives the alerts that the query selects, in the order it says. Lists are
// never nil.
func (s *Store) Alerts(ctx context.Context, q alert.Query) ([]alert.Alert, error) {
	statement, args := alertsQuery(q)
	var rows []alertRow
	if err := s.Select(ctx, &rows, statement, args...); err != nil {
		return nil, fmt.Errorf("read the alerts: %w", err)
	}
	alerts := make([]alert.Alert, len(rows))
	for i := range rows {
		alerts[i] = rows[i].alert()
	}
	return alerts, nil
}

// Alert gives the alert with the identity; ok is false when there is none.
func (s *Store) Alert(ctx context.Context, id string) (a alert.Alert, ok bool, err error) {
	var rows []alertRow
	err = s.Select(ctx, &rows, "SELECT * FROM alerts WHERE id = {id:String}", clickhouse.Named("id", id))
	if err != nil {
		return alert.Alert{}, false, fmt.Errorf("read alert %s: %w", id, err)
	}
	if len(rows) == 0 {
		return alert.Alert{}, false, nil
	}
	return rows[0].alert(), true, nil
}

// alertsQuery makes the statement of a query and the values bound to it.
func alertsQuery(q alert.Query) (statement string, args []any) {
	where := alertConditions(&q)
	order := "DESC"
	if q.AfterVersion != 0 {
		order = "ASC"
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	return fmt.Sprintf("SELECT * FROM alerts%s ORDER BY version %s LIMIT %d", where.clause(), order, limit), where.args
}

// CountAlerts is how many alerts the query selects; its limit does not count.
func (s *Store) CountAlerts(ctx context.Context, q alert.Query) (n uint64, err error) {
	where := alertConditions(&q)
	if err := s.QueryRow(ctx, "SELECT count() FROM alerts"+where.clause(), where.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the alerts: %w", err)
	}
	return n, nil
}

// Raised counts the alerts first seen in [since, until) of stream time, by rule, the
// loudest first: those under none of the silences, and in sum those that are.
func (s *Store) Raised(ctx context.Context, since, until time.Time, silences []alert.Silence) (raised []alert.Raised, silenced uint64, err error) {
	under, args := underSilence(silences)
	var rows []struct {
		Detector string `ch:"detector"`
		Rule     string `ch:"rule"`
		Alerts   uint64 `ch:"alerts"`
		Silenced uint64 `ch:"silenced"`
	}
	err = s.Select(ctx, &rows, "SELECT detector, rule, countIf(NOT "+under+") AS alerts, countIf("+under+`) AS silenced FROM alerts
		WHERE id GLOBAL IN (SELECT id FROM findings WHERE last_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
			AND first_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
		GROUP BY detector, rule ORDER BY alerts DESC, detector, rule`,
		append(args, clickhouse.Named("since", since.UnixMilli()), clickhouse.Named("until", until.UnixMilli()))...)
	if err != nil {
		return nil, 0, fmt.Errorf("count the alerts of a day: %w", err)
	}
	for _, r := range rows {
		silenced += r.Silenced
		if r.Alerts > 0 {
			raised = append(raised, alert.Raised{Detector: r.Detector, Rule: r.Rule, Alerts: r.Alerts})
		}
	}
	return raised, silenced, nil
}

// StreamTime is how far the detector that has come furthest has detected; zero where
// none has.
func (s *Store) StreamTime(ctx context.Context) (time.Time, error) {
	var end time.Time
	if err := s.QueryRow(ctx, "SELECT max(window_end) FROM detect_progress").Scan(&end); err != nil {
		return time.Time{}, fmt.Errorf("read how far detection has come: %w", err)
	}
	return readTime(end), nil
}
