package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"tapwatch/internal/benchmark/measure"
)

// The parts, in the order they are run.
const (
	partBacktest = "backtest"
	partLive     = "live"
	partLatency  = "latency"
)

// bench is a run.
type bench struct {
	options
	report *measure.Report
	logger *slog.Logger
}

// options say what to measure.
type options struct {
	parts    []string
	dir      string
	days     int
	backtest time.Duration // of the campaign's end; 0: all of it
	pairs    int
	seed     uint64
	rate     float64       // watched flow records a second, at 1x
	during   time.Duration // of stream time that is detected live at each rate
	flows    float64       // a second, while latency is measured
	triggers int
}

func readOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("detectbench", flag.ContinueOnError)
	var o options
	parts := flags.String("parts", "backtest,live,latency", "what to measure")
	flags.StringVar(&o.dir, "dir", "", "folder for all data, which must not be there yet; removed at the end; empty: a new temporary one")
	flags.IntVar(&o.days, "days", 30, "days of the campaign, which are the history of live detection too")
	flags.DurationVar(&o.backtest, "backtest", 0, "how much of the campaign's end the backtest is of; 0: all of it")
	flags.IntVar(&o.pairs, "pairs", 10_000, "protected pairs of the campaign")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the campaign")
	flags.Float64Var(&o.rate, "rate", 100, "watched flow records a second at 1x: one in a thousand of 100,000")
	flags.DurationVar(&o.during, "during", 10*time.Minute, "stream time that is detected live at each rate, in whole panes")
	flags.Float64Var(&o.flows, "flows", 5000, "flow records a second while latency is measured")
	flags.IntVar(&o.triggers, "triggers", 200, "how many alerts are waited for, one after the other")
	short := flags.Bool("short", false, "a quick look at a small campaign: numbers say little")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.parts = strings.Split(*parts, ",")
	if *short {
		o.days, o.pairs, o.during, o.flows, o.triggers = 2, 150, 2*time.Minute, 500, 20
	}
	return o, o.validate()
}

func (o *options) validate() error {
	for _, p := range o.parts {
		if !slices.Contains([]string{partBacktest, partLive, partLatency}, p) {
			return fmt.Errorf("-parts: there is no part %q", p)
		}
	}
	switch {
	case o.days < 2:
		return fmt.Errorf("-days: %d is below 2", o.days)
	case o.backtest < 0 || o.backtest > time.Duration(o.days)*24*time.Hour || o.backtest%time.Hour != 0:
		return fmt.Errorf("-backtest: %v does not do: use whole hours, at most those of -days", o.backtest)
	case o.rate <= 0:
		return fmt.Errorf("-rate: %g is not above 0", o.rate)
	case o.during < time.Minute || o.during > 50*time.Minute || o.during%(2*time.Second) != 0:
		return errors.New("-during: must be 1m to 50m, in whole panes of 2s")
	case o.flows < 30:
		return fmt.Errorf("-flows: %g is below 30", o.flows)
	case o.triggers < 1 || o.triggers > maxTriggers:
		return fmt.Errorf("-triggers: must be 1 to %d", maxTriggers)
	}
	return nil
}

func (o *options) has(part string) bool { return slices.Contains(o.parts, part) }

// withFolder makes the folder and removes it afterwards, whatever happens.
func (o *options) withFolder(f func() error) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "tapwatch-detectbench-"); err != nil {
			return err
		}
	} else if err := os.Mkdir(o.dir, 0o700); err != nil {
		return fmt.Errorf("-dir: %w: everything in it is removed at the end, so it must be new", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	return f()
}
