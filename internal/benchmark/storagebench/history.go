package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/internal/benchmark/carrier"
)

// stretch gives the protected systems a history of many days: the real day again and
// again, each time a day earlier.
func (b *bench) stretch(ctx context.Context) error {
	b.report.Say("\nhistory: the day's rows of the protected systems again, for %d days in all", b.history)
	began := time.Now()
	for _, t := range []struct{ table, column, since string }{
		{"watched_flows", "received_at", "{since:DateTime64(3, 'UTC')}"},
		{"conversations_hour", "at", "toStartOfHour({since:DateTime64(3, 'UTC')})"},
	} {
		day, err := b.size(ctx, t.table)
		if err != nil {
			return err
		}
		for days := 1; days < b.history; days++ {
			// Without the alias of the table the condition would be on the shifted time.
			err := b.Exec(ctx, fmt.Sprintf(`INSERT INTO %[1]s SELECT * REPLACE (%[2]s - INTERVAL %[3]d DAY AS %[2]s) FROM %[1]s AS t
WHERE t.%[2]s >= %[4]s AND t.%[2]s < {until:DateTime64(3, 'UTC')}`, t.table, t.column, days, t.since),
				clickhouse.Named("since", carrier.Until.Add(-b.span).Format(timeFormat)), clickhouse.Named("until", carrier.Until.Format(timeFormat)))
			if err != nil {
				return fmt.Errorf("stretch %s: %w", t.table, err)
			}
		}
		if err := b.settle(ctx); err != nil {
			return err
		}
		s, err := b.size(ctx, t.table)
		if err != nil {
			return err
		}
		if least := day.Rows * uint64(b.history) * 9 / 10; s.Rows < least { // an hour at the edge of two days is one row
			return fmt.Errorf("stretch %s: %d rows for %d days, at least %d expected", t.table, s.Rows, b.history, least)
		}
		b.report.Say("  %-20s %11d rows, %.1f MB", t.table, s.Rows, float64(s.OnDisk)/1e6)
	}
	b.report.Say("  made and merged, as far as ClickHouse merges by itself, in %s", time.Since(began).Round(time.Second))
	return nil
}
