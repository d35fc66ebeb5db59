package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

const (
	// awayWarm is how long flows are sent before ClickHouse goes away.
	awayWarm = 10 * time.Second
	// awayChunk is how long the generator is told to send at a time.
	awayChunk = 5 * time.Second
	// caughtUp is up to how much may wait, in seconds of flows, for what was kept back to
	// be stored: some always waits for the next insert.
	caughtUp = 2
	// awayPatience is after how long, in parts of how long ClickHouse was away, flows stop
	// for it to catch up.
	awayPatience = 2
)

// measureAway stops the engine's process for a while, lets flows come on all the time,
// and looks how much memory tapwatch needs meanwhile, how long it takes to catch up and
// whether anything is lost.
func (b *bench) measureAway(ctx context.Context) (err error) {
	b.report.Say("\naway: ClickHouse stands still for %s while %d flows a second come", b.away, b.awayRate)
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
	if _, err := g.send(b.awayRate, min(awayWarm, b.away)); err != nil {
		return err
	}
	if err := t.resetPeaks(); err != nil {
		return err
	}
	spool, err := b.withoutEngine(ctx, t, g)
	if err != nil {
		return err
	}
	caught, err := b.catchUp(ctx, t, g)
	if err != nil {
		return err
	}
	return b.account(ctx, t, g, spool, caught)
}

// withoutEngine stops the engine and sends; it gives the bytes of the spool at the end.
func (b *bench) withoutEngine(ctx context.Context, t *target, g *generator) (spool float64, err error) {
	if err := syscall.Kill(t.engine, syscall.SIGSTOP); err != nil {
		return 0, fmt.Errorf("stop the engine: %w", err)
	}
	defer func() {
		if resumed := syscall.Kill(t.engine, syscall.SIGCONT); resumed != nil {
			err = errors.Join(err, fmt.Errorf("let the engine go on: %w", resumed))
		}
	}()
	began, told := time.Now(), time.Now()
	for time.Since(began) < b.away {
		if _, err := g.send(b.awayRate, min(awayChunk, b.away-time.Since(began)+time.Millisecond)); err != nil {
			return 0, err
		}
		c, err := scrape(ctx, t.console)
		if err != nil {
			return 0, err
		}
		spool = c[metricSpool]
		if time.Since(told) >= time.Minute || time.Since(began) >= b.away {
			told = time.Now()
			ours, _, err := t.peaks()
			if err != nil {
				return 0, err
			}
			b.report.Say("  %4.0f s: %.0f records wait, %.0f of them in %.0f MB of the spool; memory at most %.0f MB",
				time.Since(began).Seconds(), c[metricQueued], c[metricSpooled], spool/1e6, ours)
		}
	}
	return spool, nil
}

// catchUp sends on until next to nothing waits, and gives how long that took. A machine
// that cannot do more than what comes gets peace to do it.
func (b *bench) catchUp(ctx context.Context, t *target, g *generator) (time.Duration, error) {
	began := time.Now()
	for time.Since(began) < awayPatience*b.away+time.Minute {
		if _, err := g.send(b.awayRate, awayChunk/5); err != nil {
			return 0, err
		}
		c, err := scrape(ctx, t.console)
		if err != nil {
			return 0, err
		}
		if c[metricQueued] <= caughtUp*float64(b.awayRate) {
			b.report.Say("  caught up %.1f s after ClickHouse was back, while flows came on", time.Since(began).Seconds())
			return time.Since(began), nil
		}
	}
	quiet := time.Now()
	_, err := b.drain(ctx, t, g.total)
	b.report.Say("  NOTE: it did not catch up within %.0f s while flows came on; without them it took %.1f s more", quiet.Sub(began).Seconds(), time.Since(quiet).Seconds())
	return time.Since(began), err
}

// account holds what was stored against what was sent.
func (b *bench) account(ctx context.Context, t *target, g *generator, spool float64, caught time.Duration) error {
	c, err := b.drain(ctx, t, g.total)
	if err != nil {
		return err
	}
	rows, err := t.rows(ctx)
	if err != nil {
		return err
	}
	kernel, err := t.kernelDropped()
	if err != nil {
		return err
	}
	ours, _, err := t.peaks()
	if err != nil {
		return err
	}
	lost := float64(g.total) - float64(rows) // below 0: some are stored twice
	b.report.Say("  %d sent, %.0f received, %d in the table: %.0f lost (kernel dropped %d datagrams, the writer gave %.0f records up); memory at most %.0f MB",
		g.total, c[metricReceived], rows, lost, kernel, c[metricGivenUp], ours)
	b.report.Add("away_rss_mb", ours)
	b.report.Add("away_spool_mb", spool/1e6)
	b.report.Add("away_catch_up_s", caught.Seconds())
	b.report.Add("away_lost", lost)
	return nil
}
