package main

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"tapwatch/collector"
	"tapwatch/internal/benchmark/measure"
)

// headlines are the results that come last, in this order. Others compare them from
// one version to the next: names and order stay.
var headlines = []string{
	"ceiling_flows_per_s",
	"e2e_flows_per_s",
	"e2e_vs_ceiling",
	"generator_cpu_ns_per_flow",
	"tapwatch_cpu_ns_per_flow",
	"engine_cpu_ns_per_flow",
	"tapwatch_rss_mb",
	"engine_rss_mb",
	"rows_per_insert",
	"away_rss_mb",
	"away_catch_up_s",
	"away_lost",
}

// bench is a benchmark under way.
type bench struct {
	options
	report *measure.Report
}

// measureAll runs the parts and prints the results.
func measureAll(ctx context.Context, o options, out io.Writer) error {
	b := &bench{o, &measure.Report{Out: out, Headlines: headlines}}
	if err := measure.PrintMachine(out); err != nil {
		return err
	}
	restore, err := measure.RaiseReceiveBuffer(collector.DefaultConfig().ReceiveBufferBytes * runtime.NumCPU())
	if err != nil {
		b.report.Say("receive buffers stay small, for %s cannot be set: %v", measure.ReceiveBufferFile, err)
	}
	defer func() {
		if err := restore(); err != nil {
			b.report.Say("%s is not restored: %v", measure.ReceiveBufferFile, err)
		}
	}()
	if err := b.withFolder(func() error { return b.measureParts(ctx) }); err != nil {
		return err
	}
	b.report.Print()
	return nil
}

func (b *bench) measureParts(ctx context.Context) error {
	ceiling := 0.0
	if b.has(partCeiling) {
		var err error
		if ceiling, err = b.measureCeiling(ctx); err != nil {
			return fmt.Errorf("%s: %w", partCeiling, err)
		}
		b.report.Add("ceiling_flows_per_s", ceiling)
	}
	if b.has(partSearch) {
		if err := b.measureSearch(ctx, ceiling); err != nil {
			return fmt.Errorf("%s: %w", partSearch, err)
		}
	}
	if b.has(partAway) {
		if err := b.measureAway(ctx); err != nil {
			return fmt.Errorf("%s: %w", partAway, err)
		}
	}
	return nil
}
