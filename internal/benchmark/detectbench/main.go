// Command detectbench measures what detection costs and how soon it speaks:
//
//	go run ./internal/benchmark/detectbench [-short] [-parts backtest,live,latency] [-days 30] [-pairs 10000] [-dir DIR]
//
// It prints what it does in lines for people, and at the end a line for each result:
// bench NAME VALUE. docs/benchmarks.md says how everything is measured. It needs Linux
// and the files of `make setup`, is run from the root of the repository, and sends over
// the loopback interface alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"tapwatch/internal/benchmark/measure"
	"tapwatch/storage/embedded"
)

func main() {
	embedded.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "detectbench:", err)
		os.Exit(1)
	}
}

// headlines are the results that come last, in this order. Others compare them from
// one version to the next: names and order stay.
var headlines = []string{
	"backtest_30d_s",
	"detect_core_share_1x",
	"detect_core_share_4x",
	"detect_core_share_16x",
	"detect_growth_16x",
	"detect_latency_p50_s",
	"detect_latency_p99_s",
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := readOptions(args)
	if err != nil {
		return err
	}
	r := &measure.Report{Out: out, Headlines: headlines}
	if err := measure.PrintMachine(out); err != nil {
		return err
	}
	b := &bench{options: o, report: r, logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	err = b.withFolder(func() error {
		if b.has(partBacktest) || b.has(partLive) {
			if err := b.measureStored(ctx); err != nil {
				return err
			}
		}
		if b.has(partLatency) {
			return b.measureLatency(ctx)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.Print()
	return nil
}
