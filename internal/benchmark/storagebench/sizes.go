package main

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// tables are those that an insert of flows fills.
var tables = []string{"flows", "watched_flows", "conversations_minute", "conversations_hour", "exporter_activity"}

// size is what the active parts of a table take.
type size struct {
	Rows       uint64 `ch:"rows"`
	Compressed uint64 `ch:"compressed"` // of the columns' data
	OnDisk     uint64 `ch:"on_disk"`    // with indexes and marks
	Marks      uint64 `ch:"marks"`
	Skipping   uint64 `ch:"skipping"` // data-skipping indexes
}

func (b *bench) size(ctx context.Context, table string) (size, error) {
	var all []size
	err := b.Select(ctx, &all, `
SELECT sum(rows) AS rows, sum(data_compressed_bytes) AS compressed, sum(bytes_on_disk) AS on_disk,
    sum(marks_bytes) AS marks, sum(secondary_indices_compressed_bytes) AS skipping
FROM system.parts WHERE active AND database = currentDatabase() AND table = {table:String}`, clickhouse.Named("table", table))
	if err != nil {
		return size{}, fmt.Errorf("size of %s: %w", table, err)
	}
	return all[0], nil
}

// measureSizes tells what the flows take in every table, merged as they are in the end.
func (b *bench) measureSizes(ctx context.Context) error {
	b.report.Say("\nsizes")
	var flows float64
	for _, table := range tables {
		if err := b.optimize(ctx, table); err != nil {
			return err
		}
		s, err := b.size(ctx, table)
		if err != nil {
			return err
		}
		if table == "flows" {
			flows = float64(s.Rows)
			b.report.Add("bytes_per_flow", float64(s.Compressed)/flows)
			b.report.Add("bytes_per_flow_on_disk", float64(s.OnDisk)/flows)
		}
		b.report.Say("  %-20s %11d rows: %7.2f bytes a row, %7.2f with indexes (%.2f) and marks (%.2f); %8.3f MB per million flows",
			table, s.Rows, s.per(s.Compressed), s.per(s.OnDisk), s.per(s.Skipping), s.per(s.Marks), float64(s.OnDisk)/flows)
		b.report.Add(table+"_mb_per_million", float64(s.OnDisk)/flows)
		if err := b.printColumns(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// per is bytes by row.
func (s *size) per(bytes uint64) float64 { return float64(bytes) / float64(max(1, s.Rows)) }

// printColumns prints what every column takes, the largest first.
func (b *bench) printColumns(ctx context.Context, table string) error {
	if !b.columns {
		return nil
	}
	var all []struct {
		Column     string `ch:"column"`
		Rows       uint64 `ch:"rows"`
		Compressed uint64 `ch:"compressed"`
		Marks      uint64 `ch:"marks"`
	}
	err := b.Select(ctx, &all, `
SELECT column, sum(rows) AS rows, sum(column_data_compressed_bytes) AS compressed, sum(column_marks_bytes) AS marks
FROM system.parts_columns WHERE active AND database = currentDatabase() AND table = {table:String}
GROUP BY column ORDER BY compressed DESC, column`, clickhouse.Named("table", table))
	if err != nil {
		return fmt.Errorf("columns of %s: %w", table, err)
	}
	for _, c := range all {
		rows := float64(max(1, c.Rows))
		b.report.Say("    %-24s %9.4f bytes a row, marks %.4f", c.Column, float64(c.Compressed)/rows, float64(c.Marks)/rows)
	}
	return nil
}
