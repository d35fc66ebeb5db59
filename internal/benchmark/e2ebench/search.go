package main

import (
	"context"
	"errors"
	"fmt"
)

const (
	// firstPart of the ceiling is tried first; then it goes on in steps of stepPart, and
	// between the last rate that was sustained and the first that was not in halves,
	// down to finePart.
	firstPart, stepPart, finePart = 0.5, 0.1, 0.02
	// leastPart is where it gives up.
	leastPart = 0.02
	// confirmations are how many rates are tried for long.
	confirmations = 6
)

// measureSearch finds the highest rate that is sustained, and looks at it for long.
func (b *bench) measureSearch(ctx context.Context, ceiling float64) (err error) {
	t, err := b.startTarget(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.end()) }()
	g, err := startGenerator(ctx, t.addr, b.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.end()) }()
	rate := float64(b.rate)
	if b.rate == 0 {
		b.report.Say("\nsearch: datagrams from %d routers over UDP to tapwatch with all enrichments and detectors, %s at each rate", routersOf, b.step)
		rate, err = search(ceiling, func(rate float64) (bool, error) {
			r, err := b.try(ctx, t, g, int(rate), b.step)
			return r.sustained(), err
		})
		if err != nil {
			return err
		}
	}
	return b.confirm(ctx, t, g, rate, ceiling)
}

// routersOf the simulated carrier export.
const routersOf = 12

// search gives the highest rate that is sustained, as far as it looks.
func search(ceiling float64, sustained func(rate float64) (bool, error)) (float64, error) {
	good, bad, rate := 0.0, 0.0, firstPart*ceiling
	for {
		ok, err := sustained(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			good = rate
		} else {
			bad = rate
		}
		switch {
		case bad == 0:
			rate = good + stepPart*ceiling
		case good == 0:
			rate = bad / 2
		default:
			rate = (good + bad) / 2
		}
		if bad > 0 && good > 0 && bad-good <= finePart*ceiling {
			return good, nil
		}
		if good == 0 && rate < leastPart*ceiling {
			return 0, fmt.Errorf("no rate down to %.0f/s is sustained", bad)
		}
	}
}

// confirm looks at the rate for long, and at somewhat lower ones if it cannot be kept.
func (b *bench) confirm(ctx context.Context, t *target, g *generator, rate, ceiling float64) error {
	b.report.Say("\nlong run: %s", b.long)
	for range confirmations {
		if err := t.resetPeaks(); err != nil {
			return err
		}
		r, err := b.try(ctx, t, g, int(rate), b.long)
		if err != nil {
			return err
		}
		if r.sustained() {
			return b.tell(t, &r, ceiling)
		}
		rate *= 0.96
	}
	return fmt.Errorf("no rate down to %.0f/s is sustained for %s", rate/0.96, b.long)
}

// tell keeps what the long run showed.
func (b *bench) tell(t *target, r *trial, ceiling float64) error {
	ours, theirs, err := t.peaks()
	if err != nil {
		return err
	}
	flows := float64(r.rows)
	perFlow := func(name string, nanoseconds int64) float64 {
		value := float64(nanoseconds) / flows
		b.report.Add(name+"_cpu_ns_per_flow", value)
		return value
	}
	b.report.Say("  CPU a flow: generator %.0f ns, tapwatch %.0f ns, engine %.0f ns; memory at most: tapwatch %.0f MB, engine %.0f MB; %.0f rows an insert",
		perFlow("generator", r.cpu.generator.Nanoseconds()), perFlow("tapwatch", r.cpu.tapwatch.Nanoseconds()), perFlow("engine", r.cpu.engine.Nanoseconds()),
		ours, theirs, flows/float64(r.inserts))
	b.report.Add("e2e_flows_per_s", r.flowsPerSecond())
	b.report.Add("tapwatch_rss_mb", ours)
	b.report.Add("engine_rss_mb", theirs)
	b.report.Add("rows_per_insert", flows/float64(r.inserts))
	if ceiling > 0 {
		b.report.Say("  %.3f of the ceiling, which had the processors to itself", r.flowsPerSecond()/ceiling)
		b.report.Add("e2e_vs_ceiling", r.flowsPerSecond()/ceiling)
	}
	return nil
}
