package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/internal/benchmark/measure"
)

// answer is what one run of a question took.
type answer struct {
	milliseconds float64
	rows, bytes  uint64 // that ClickHouse read
}

// ask asks every question and says how long the answers took.
func (b *bench) ask(ctx context.Context) error {
	b.report.Say("\nquestions: %d runs each with different values, on warm caches; then one on cold ones: ClickHouse's caches emptied, and the files of its data dropped from the page cache as far as the kernel does so", b.runs)
	all, err := b.questions(ctx)
	if err != nil {
		return err
	}
	b.report.Say("  %-24s %10s %10s %10s %10s %14s %12s", "milliseconds", "median", "p95", "worst", "cold", "rows read", "MB read")
	groups := map[string][]float64{}
	var order []string
	for _, q := range all {
		warm, cold, err := b.answer(ctx, q)
		if err != nil {
			return fmt.Errorf("question %s: %w", q.result, err)
		}
		times := b.tell(q.result, warm, cold)
		if q.group != "" {
			if groups[q.group] == nil {
				order = append(order, q.group)
			}
			groups[q.group] = append(groups[q.group], times...)
		}
	}
	for _, group := range order {
		b.results(group, groups[group])
		b.report.Say("  %-24s %10.1f %10.1f %10.1f", group, measure.Median(groups[group]), measure.Quantile(groups[group], 0.95), slices.Max(groups[group]))
	}
	return nil
}

// answer runs a question: once that does not count, once for every set of values, and
// once on cold caches.
func (b *bench) answer(ctx context.Context, q question) (warm []answer, cold answer, err error) {
	if _, err := b.one(ctx, q.sql, q.values[0]); err != nil {
		return nil, cold, err
	}
	for _, values := range q.values {
		a, err := b.one(ctx, q.sql, values)
		if err != nil {
			return nil, cold, err
		}
		warm = append(warm, a)
	}
	if err := b.cool(ctx); err != nil {
		return nil, cold, err
	}
	cold, err = b.one(ctx, q.sql, q.values[0])
	return warm, cold, err
}

// one asks once and reads the whole answer.
func (b *bench) one(ctx context.Context, sql string, values map[string]string) (a answer, err error) {
	ctx = clickhouse.Context(ctx, clickhouse.WithProgress(func(p *clickhouse.Progress) {
		a.rows += p.Rows
		a.bytes += p.Bytes
	}))
	var arguments []any
	for name, value := range values {
		arguments = append(arguments, clickhouse.Named(name, value))
	}
	began := time.Now()
	rows, err := b.Query(ctx, sql, arguments...)
	if err != nil {
		return a, err
	}
	for rows.Next() {
	}
	if err := rows.Close(); err != nil {
		return a, err
	}
	a.milliseconds = float64(time.Since(began).Microseconds()) / 1000
	return a, rows.Err()
}

// tell prints and keeps what a question took, and gives the times.
func (b *bench) tell(result string, warm []answer, cold answer) (times []float64) {
	var rows, bytes []float64
	for _, a := range warm {
		times = append(times, a.milliseconds)
		rows, bytes = append(rows, float64(a.rows)), append(bytes, float64(a.bytes)/1e6)
	}
	b.report.Say("  %-24s %10.1f %10.1f %10.1f %10.1f %14.0f %12.1f", result, measure.Median(times), measure.Quantile(times, 0.95),
		slices.Max(times), cold.milliseconds, measure.Median(rows), measure.Median(bytes))
	b.results(result, times)
	b.report.Add(result+"_cold_ms", cold.milliseconds)
	b.report.Add(result+"_rows_read", measure.Median(rows))
	return times
}

func (b *bench) results(name string, times []float64) {
	b.report.Add(name+"_ms", measure.Median(times))
	b.report.Add(name+"_p95_ms", measure.Quantile(times, 0.95))
	b.report.Add(name+"_worst_ms", slices.Max(times))
}
