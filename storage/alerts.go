package storage

import (
	"context"
	"fmt"
	"strings"

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
	var where conditions
	where.add(q.MinSeverity != 0, "toInt8(severity) >= {severity:Int8}", "severity", int8(q.MinSeverity))
	where.add(q.Detector != "", "detector = {detector:String}", "detector", q.Detector)
	where.add(q.Zone != "", "(asset_zone = {zone:String} OR peer_zone = {zone:String})", "zone", q.Zone)
	where.add(q.Asset != "", "(asset = {asset:String} OR peer_asset = {asset:String})", "asset", q.Asset)
	where.add(q.Country != "", "peer_country = {country:String}", "country", q.Country)
	where.add(q.Text != "", "positionCaseInsensitiveUTF8("+haystack+", {text:String}) > 0", "text", q.Text)
	where.add(!q.Since.IsZero(), "last_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')", "since", q.Since.UnixMilli())
	where.add(!q.Until.IsZero(), "first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')", "until", q.Until.UnixMilli())
	where.add(q.AfterVersion != 0, changedAfter, "after", q.AfterVersion)
	where.add(q.BeforeVersion != 0, "version < {before:UInt64}", "before", q.BeforeVersion)

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

// conditions are those of a WHERE clause, all of which must hold.
type conditions struct {
	parts []string
	args  []any
}

func (c *conditions) add(wanted bool, part, name string, value any) {
	if wanted {
		c.parts = append(c.parts, part)
		c.args = append(c.args, clickhouse.Named(name, value))
	}
}

func (c *conditions) clause() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}
