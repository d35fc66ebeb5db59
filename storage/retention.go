package storage

import (
	"context"
	"fmt"
	"regexp"
)

// ttlPattern finds the TTL in a table's engine clause.
var ttlPattern = regexp.MustCompile(`\bTTL (.+?)(?: SETTINGS |$)`)

// ttlChange is a table that has another TTL than it should.
type ttlChange struct {
	table, wanted string
	days          int
}

// retentionChanges tells which tables have another TTL than is to be kept. A TTL is not
// part of a table's CREATE statement, because an operator may change it at any time. The
// tables of what was ever seen have none: a merge drops the old row of a pair before it
// meets the newer one of the same key, and an old friend would be new.
func (m *migrator) retentionChanges(ctx context.Context) (changes []ttlChange, err error) {
	for _, t := range []struct {
		table, since string
		days         int
	}{
		{"flows", "inserted_on", m.keep.FlowsDays},
		{"watched_flows", "inserted_on", m.keep.WatchedFlowsDays},
		{"conversations_minute", "inserted_on", m.keep.ConversationsMinuteDays},
		{"conversations_hour", "inserted_on", m.keep.ConversationsHourDays},
		{"sessions", "inserted_on", m.keep.ConversationsMinuteDays},
		{"pair_hours", "inserted_on", m.keep.ConversationsHourDays},
		{"traffic_minute", "inserted_on", m.keep.TrafficMinuteDays},
		{"exporter_minute", "inserted_on", m.keep.TrafficMinuteDays},
		{"exporter_durations", "inserted_on", m.keep.TrafficMinuteDays},
		{"device_minute", "inserted_on", m.keep.TrafficMinuteDays},
		{"exporter_activity", "inserted_at", m.keep.ExporterActivityDays},
		{"exporter_health", "inserted_at", m.keep.ExporterHealthDays},
	} {
		c := ttlChange{table: m.layout.Table(t.table), days: t.days}
		if t.days > 0 {
			c.wanted = fmt.Sprintf("%s + toIntervalDay(%d)", t.since, t.days)
		}
		current, err := m.ttl(ctx, c.table)
		if err != nil {
			return nil, err
		}
		if current != c.wanted {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

// applyRetention alters the TTLs that differ.
func (m *migrator) applyRetention(ctx context.Context) error {
	changes, err := m.retentionChanges(ctx)
	if err != nil {
		return err
	}
	for _, c := range changes {
		change := "MODIFY TTL " + c.wanted
		if c.wanted == "" {
			change = "REMOVE TTL"
		}
		// In the background ClickHouse learns of the stored parts anew when they come due, which
		// it would not know else. It reads the one column for that and writes nothing anew.
		if err := m.conn.Exec(ctx, "ALTER TABLE "+c.table+" "+change); err != nil {
			return fmt.Errorf("set the retention of %s to %d days: %w", c.table, c.days, err)
		}
		m.log.Info("retention set", "table", c.table, "days", c.days)
	}
	return nil
}

// ttl gives the TTL expression of the table as ClickHouse writes it; empty none.
func (m *migrator) ttl(ctx context.Context, table string) (string, error) {
	var engine string
	err := m.conn.QueryRow(ctx, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = ?", table).Scan(&engine)
	if err != nil {
		return "", fmt.Errorf("read the definition of table %s: %w", table, err)
	}
	if found := ttlPattern.FindStringSubmatch(engine); found != nil {
		return found[1], nil
	}
	return "", nil
}
