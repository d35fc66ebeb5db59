package storage

import (
	"context"
	"fmt"
	"regexp"
)

// ttlPattern finds the TTL in a table's engine clause.
var ttlPattern = regexp.MustCompile(`\bTTL (.+?)(?: SETTINGS |$)`)

// applyRetention gives the tables the TTLs of keep. A TTL is not part of a table's
// CREATE statement, because an operator may change it at any time; it is altered
// only where it differs.
func (s *Store) applyRetention(ctx context.Context, keep Retention) error {
	for _, t := range []struct {
		table string
		days  int
	}{
		{"flows", keep.FlowsDays},
		{"watched_flows", keep.WatchedFlowsDays},
		{"exporter_activity", keep.ExporterActivityDays},
		{"exporter_health", keep.ExporterHealthDays},
	} {
		if err := s.applyTTL(ctx, t.table, t.days); err != nil {
			return fmt.Errorf("set the retention of %s to %d days: %w", t.table, t.days, err)
		}
	}
	return nil
}

func (s *Store) applyTTL(ctx context.Context, table string, days int) error {
	current, err := s.ttl(ctx, table)
	if err != nil {
		return err
	}
	wanted := ""
	if days > 0 {
		wanted = fmt.Sprintf("inserted_at + toIntervalDay(%d)", days)
	}
	if current == wanted {
		return nil
	}
	change := "MODIFY TTL " + wanted
	if wanted == "" {
		change = "REMOVE TTL"
	}
	// Stored parts are not rewritten: merges drop them as they come due.
	if err := s.conn.Exec(ctx, "ALTER TABLE "+table+" "+change+" SETTINGS materialize_ttl_after_modify = 0"); err != nil {
		return err
	}
	s.log.Info("retention set", "table", table, "days", days)
	return nil
}

// ttl gives the TTL expression of the table as ClickHouse writes it; empty none.
func (s *Store) ttl(ctx context.Context, table string) (string, error) {
	var engine string
	err := s.QueryRow(ctx, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = ?", table).Scan(&engine)
	if err != nil {
		return "", fmt.Errorf("read the definition of table %s: %w", table, err)
	}
	if m := ttlPattern.FindStringSubmatch(engine); m != nil {
		return m[1], nil
	}
	return "", nil
}
