// Command storagebench measures how tapwatch stores flows and finds them again, on an
// embedded ClickHouse of its own:
//
//	go run ./internal/benchmark/storagebench [-flows N] [-span 24h] [-dir DIR] [-columns] [-short]
//
// It stores a day of a simulated carrier as tapwatch does, measures what a flow takes on
// disk, also in akvorado's columns, and asks what hunters ask. It prints what it does in
// lines for people, and at the end a line for each result: bench NAME VALUE.
// docs/benchmarks.md says how everything is measured. It needs Linux and the files of
// `make setup`, and is run from the root of the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tapwatch/internal/benchmark/measure"
	"tapwatch/storage/embedded"
)

func main() {
	embedded.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "storagebench:", err)
		os.Exit(1)
	}
}

// headlines are the results that come last, in this order. Others compare them from
// one version to the next: names and order stay.
var headlines = []string{
	"flows",
	"insert_flows_per_s",
	"engine_cpu_s_per_million",
	"bytes_per_flow",
	"bytes_per_flow_on_disk",
	"bytes_vs_akvorado_columns",
	"asset_30d_ms",
	"conversations_30d_ms",
	"top_talkers_hour_ms",
	"address_24h_ms",
}

// options say what to measure.
type options struct {
	flows   int
	span    time.Duration
	dir     string
	block   int
	history int // days
	runs    int
	columns bool
}

// The smaller benchmark of -short.
const (
	shortFlows = 2_000_000
	shortRuns  = 12
)

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("storagebench", flag.ContinueOnError)
	var o options
	flags.IntVar(&o.flows, "flows", 100_000_000, "how many flows to store, about")
	flags.DurationVar(&o.span, "span", 24*time.Hour, "how much of the carrier's time they take")
	flags.StringVar(&o.dir, "dir", "", "folder of the engine, which must not be there yet; removed at the end; empty: a new temporary one")
	flags.IntVar(&o.block, "block", 250_000, "flows in an insert")
	flags.IntVar(&o.history, "history", 30, "days of history of the protected systems to ask about")
	flags.IntVar(&o.runs, "runs", 40, "how often each question is asked")
	flags.BoolVar(&o.columns, "columns", false, "print what every column takes")
	short := flags.Bool("short", false, fmt.Sprintf("a quick look: %d flows, %d questions", shortFlows, shortRuns))
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		o.flows, o.runs = shortFlows, shortRuns
	}
	if err := o.validate(); err != nil {
		return err
	}
	r := &measure.Report{Out: out, Headlines: headlines}
	if err := measure.PrintMachine(out); err != nil {
		return err
	}
	if err := o.withFolder(func() error { return measureStorage(ctx, r, o) }); err != nil {
		return err
	}
	r.Print()
	return nil
}

func (o *options) validate() error {
	switch {
	case o.flows < 1:
		return fmt.Errorf("-flows: %d is below 1", o.flows)
	case o.span < time.Minute:
		return fmt.Errorf("-span: %s is below a minute", o.span)
	case o.block < 1:
		return fmt.Errorf("-block: %d is below 1", o.block)
	case o.history < 1:
		return fmt.Errorf("-history: %d is below 1", o.history)
	case o.runs < 1:
		return fmt.Errorf("-runs: %d is below 1", o.runs)
	}
	return nil
}

// withFolder makes the folder and removes it afterwards, whatever happens.
func (o *options) withFolder(f func() error) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "tapwatch-storagebench-"); err != nil {
			return err
		}
	} else if err := os.Mkdir(o.dir, 0o700); err != nil {
		return fmt.Errorf("-dir: %w: everything in it is removed at the end, so it must be new", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	return f()
}
