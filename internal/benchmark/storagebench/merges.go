package main

import (
	"context"
	"fmt"
	"time"
)

// settle waits until ClickHouse has nothing left to merge: twice in a row, for one merge
// can call for the next.
func (b *bench) settle(ctx context.Context) error {
	const interval, patience = 500 * time.Millisecond, time.Hour
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for quiet := 0; quiet < 4; {
		var merges uint64
		if err := b.QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges); err != nil {
			return fmt.Errorf("wait for the merges: %w", err)
		}
		quiet++
		if merges > 0 {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the merges: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// optimize merges each partition of the table into one part.
func (b *bench) optimize(ctx context.Context, table string) error {
	began := time.Now()
	if err := b.Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL SETTINGS optimize_throw_if_noop = 0, alter_sync = 2"); err != nil {
		return fmt.Errorf("optimize %s: %w", table, err)
	}
	b.report.Say("  %s merged in %s", table, time.Since(began).Round(time.Second))
	return b.settle(ctx)
}
