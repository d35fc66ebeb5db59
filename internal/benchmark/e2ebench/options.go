package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// The parts, in the order they are run.
const (
	partCeiling = "ceiling"
	partSearch  = "search"
	partAway    = "away"
)

// options say what to measure, and for how long.
type options struct {
	parts    []string
	dir      string
	records  int           // of the ring that is sent again and again
	flowRate float64       // of the simulated network: its mix depends on it
	ceiling  time.Duration // of inserts, for each number of connections
	step     time.Duration // of sending at one rate
	long     time.Duration // of sending at the rate that was found
	rate     int           // to confirm; 0: look for it
	growth   float64       // of what waits, in parts of the rate, that is taken for none
	away     time.Duration
	awayRate int
}

func readOptions(args []string) (options, error) {
	flags := flag.NewFlagSet("e2ebench", flag.ContinueOnError)
	var o options
	parts := flags.String("parts", "ceiling,search,away", "what to measure")
	flags.StringVar(&o.dir, "dir", "", "folder for all data, which must not be there yet; removed at the end; empty: a new temporary one")
	flags.IntVar(&o.records, "ring", 2_000_000, "flow records that are made, and sent again and again")
	flags.Float64Var(&o.flowRate, "simulated-rate", 1800, "records a second of the simulated network in its busiest hour: the more, the fewer of them touch protected systems")
	flags.DurationVar(&o.ceiling, "ceiling", 40*time.Second, "how long to insert for the ceiling")
	flags.DurationVar(&o.step, "step", 20*time.Second, "how long to send at each rate that is tried")
	flags.DurationVar(&o.long, "long", time.Minute, "how long to send at the rate that was found")
	flags.IntVar(&o.rate, "rate", 0, "flows a second to confirm instead of looking for the highest")
	flags.Float64Var(&o.growth, "growth", 0.01, "up to how much what waits to be stored may grow, in parts of the rate: less is lost in the ups and downs of a queue that is emptied insert by insert")
	flags.DurationVar(&o.away, "away", 10*time.Minute, "how long ClickHouse is away")
	flags.IntVar(&o.awayRate, "away-rate", 100_000, "flows a second meanwhile")
	short := flags.Bool("short", false, "a quick look: fewer and shorter runs, numbers less certain")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.parts = strings.Split(*parts, ",")
	if *short {
		o.records, o.ceiling, o.step, o.long, o.away = 500_000, 8*time.Second, 6*time.Second, 12*time.Second, 30*time.Second
	}
	return o, o.validate()
}

func (o *options) validate() error {
	for _, p := range o.parts {
		if !slices.Contains([]string{partCeiling, partSearch, partAway}, p) {
			return fmt.Errorf("-parts: there is no part %q", p)
		}
	}
	switch {
	case o.records < 1000:
		return fmt.Errorf("-ring: %d is below 1000", o.records)
	case o.flowRate < 30:
		return fmt.Errorf("-simulated-rate: %g is below 30", o.flowRate)
	case min(o.ceiling, o.step, o.long, o.away) < time.Second:
		return errors.New("-ceiling, -step, -long, -away: must be at least a second")
	case o.rate < 0 || o.awayRate < 1:
		return errors.New("-rate, -away-rate: must be positive")
	case o.rate == 0 && o.has(partSearch) && !o.has(partCeiling):
		return errors.New("-parts: search begins at a part of the ceiling: measure that too, or give -rate")
	}
	return nil
}

func (o *options) has(part string) bool { return slices.Contains(o.parts, part) }

// withFolder makes the folder and removes it afterwards, whatever happens.
func (o *options) withFolder(f func() error) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "tapwatch-e2ebench-"); err != nil {
			return err
		}
	} else if err := os.Mkdir(o.dir, 0o700); err != nil {
		return fmt.Errorf("-dir: %w: everything in it is removed at the end, so it must be new", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	return f()
}
