package detect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tapwatch/alert"
)

// Backtest is a run of detectors over stored sessions: the same code as live, window by
// window, without a clock.
type Backtest struct {
	Detectors []Detector
	History   History
	// Window is that of instant detectors, as Config.Window.
	Window time.Duration
	// Parallel is how many detectors run at a time.
	Parallel int
	// Hold tells whether a maintenance window holds a finding back; nil holds nothing.
	Hold func(*alert.Finding) bool
	// Progress is told how far all have come; nil: nobody is.
	Progress func(done time.Time)
	// Cost, if not nil, is told how long each detector took for each stretch.
	Cost func(detector string, took time.Duration)
}

// stretch is how much stream time all detectors run over before the next is begun, so
// that they read the same sessions together.
const stretch = time.Hour

// Run returns what the detectors find in their windows in [from, to). Windows that are
// longer than a Pane begin and end where they do live, so of those at the bounds only
// whole ones are run.
func (b *Backtest) Run(ctx context.Context, from, to time.Time) ([]alert.Finding, error) {
	if stored, ok := b.History.(*Stored); ok {
		stored.CompleteTo(to)
	}
	var mu sync.Mutex
	var all []alert.Finding
	for at := from; at.Before(to); {
		end := align(at, stretch).Add(stretch)
		if end.After(to) {
			end = to
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(max(1, b.Parallel))
		for _, d := range b.Detectors {
			group.Go(func() error {
				began := time.Now()
				found, err := b.stretch(ctx, d, at, end, from)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, found...)
				if b.Cost != nil {
					b.Cost(d.Name(), time.Since(began))
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		if b.Progress != nil {
			b.Progress(end)
		}
		at = end
	}
	return all, nil
}

// stretch runs one detector over those of its windows that end in (at, end] and do not
// begin before from.
func (b *Backtest) stretch(ctx context.Context, d Detector, at, end, from time.Time) ([]alert.Finding, error) {
	every := d.Every()
	if every == 0 {
		every = b.Window
	}
	var all []alert.Finding
	for w := range Windows(align(at, every), align(end, every), every) {
		if !w.End.After(at) || w.Start.Before(from) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		found, err := d.Detect(ctx, w, b.History)
		if err != nil {
			return nil, fmt.Errorf("detector %s, window %s: %w", d.Name(), w.Start.Format(time.RFC3339), err)
		}
		for i := range found {
			if b.Hold == nil || !b.Hold(&found[i]) {
				all = append(all, found[i])
			}
		}
	}
	return all, nil
}
