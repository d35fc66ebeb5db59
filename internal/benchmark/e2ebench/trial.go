package main

import (
	"context"
	"errors"
	"time"

	"tapwatch/internal/benchmark/measure"
)

// trial is what became of flows that were sent at one rate.
type trial struct {
	rate           int
	most           float64 // that growth may be
	sent           sent
	received, rows uint64 // by the collector; in the table
	dropped        uint64 // datagrams, by the kernel
	inserts        uint64
	growth         float64 // of what waits to be stored, records a second
	waiting        uint64  // of these at the end of sending
	drained        time.Duration
	cpu            processorTime
}

// lossless says that every record that was sent is stored.
func (t *trial) lossless() bool {
	return t.sent.Records == t.received && t.sent.Records == t.rows && t.dropped == 0
}

// sustained says that this could go on: nothing is lost, what waits does not grow, and
// the generator kept the rate.
func (t *trial) sustained() bool {
	return t.lossless() && t.growth <= t.most && t.flowsPerSecond() > 0.98*float64(t.rate)
}

// flowsPerSecond is the rate that the generator kept.
func (t *trial) flowsPerSecond() float64 { return float64(t.sent.Records) / t.sent.Seconds }

// try sends at a rate for a while to a tapwatch with empty tables, and waits until all is
// stored.
func (b *bench) try(ctx context.Context, t *target, g *generator, rate int, during time.Duration) (result trial, err error) {
	if err := empty(ctx, t.store); err != nil {
		return result, err
	}
	kernel, err := t.kernelDropped()
	if err != nil {
		return result, err
	}
	before, err := scrape(ctx, t.console)
	if err != nil {
		return result, err
	}
	began, err := times(g, t)
	if err != nil {
		return result, err
	}
	w := watch(ctx, t.console)
	result.rate, result.most = rate, b.growth*float64(rate)
	result.sent, err = g.send(rate, during)
	if err := errors.Join(err, w.end()); err != nil {
		return result, err
	}
	result.growth, result.waiting = w.growth(during/3), w.latest()
	ended := time.Now()
	after, err := b.drain(ctx, t, uint64(before[metricRows])+result.sent.Records)
	if err != nil {
		return result, err
	}
	result.drained = time.Since(ended)
	now, err := times(g, t)
	if err != nil {
		return result, err
	}
	result.cpu = now.since(began)
	result.received = uint64(after[metricReceived] - before[metricReceived])
	result.inserts = uint64(after[metricInserts] - before[metricInserts])
	if result.rows, err = t.rows(ctx); err != nil {
		return result, err
	}
	dropped, err := t.kernelDropped()
	result.dropped = dropped - kernel
	b.say(&result)
	return result, err
}

// say prints a trial for people.
func (b *bench) say(t *trial) {
	verdict := "sustained"
	switch {
	case !t.lossless():
		verdict = "LOST"
	case !t.sustained():
		verdict = "not sustained"
	}
	b.report.Say("  %7d/s for %4.1f s: %-13s %d sent, %d received, %d stored; kernel dropped %d; waiting grew by %6.0f/s, to %d, stored %.1f s after the end",
		t.rate, t.sent.Seconds, verdict, t.sent.Records, t.received, t.rows, t.dropped, t.growth, t.waiting, t.drained.Seconds())
}

// kernelDropped is how many datagrams the kernel dropped so far.
func (t *target) kernelDropped() (n uint64, err error) {
	sockets, err := measure.SocketsOf(t.addr.Port())
	for _, s := range sockets {
		n += s.Dropped
	}
	return n, err
}

// stalled is how long nothing is stored until drain gives up: what is missing is lost.
// It is longer than the writer waits between two attempts.
const stalled = 15 * time.Second

// drainPatience bounds waiting for what goes on to be stored, but does not come to an end.
const drainPatience = time.Hour

// drain waits until so many rows are stored in all, or no more come, and gives the
// counters then.
func (b *bench) drain(ctx context.Context, t *target, rows uint64) (c counters, err error) {
	ctx, cancel := context.WithTimeout(ctx, drainPatience)
	defer cancel()
	stored, moved := 0.0, time.Now()
	err = measure.Poll(ctx, func() (bool, error) {
		if c, err = scrape(ctx, t.console); err != nil {
			return false, err
		}
		if c[metricRows] > stored || c[metricQueued] > 0 {
			stored, moved = c[metricRows], time.Now()
		}
		return uint64(stored) >= rows || time.Since(moved) > stalled, nil
	})
	return c, err
}
