package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Engine runs detectors over the windows of the stored flows, each detector at
// its own pace, each window once it is complete. Findings are recorded before
// progress is saved, so that a crash in between repeats windows and never skips
// one; repeated findings replace themselves.
type Engine struct {
	cfg       Config
	runners   []*runner
	watermark func() time.Time
	logger    *slog.Logger
	// slots bounds how many detectors query at a time.
	slots chan struct{}
}

// New returns an engine. watermark says how far the stored flows are complete:
// every record received before it is stored. A time in the future counts as now,
// the zero time as "not known yet".
//
// A detector without saved progress, be it new or the installation, starts at the
// window that holds the watermark less Config.Lookback.
func New(cfg Config, detectors []Detector, store Store, recorder Recorder, watermark func() time.Time,
	logger *slog.Logger, reg prometheus.Registerer) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	e := &Engine{
		cfg:       cfg,
		watermark: watermark,
		logger:    logger.With("component", "detect"),
		slots:     make(chan struct{}, cfg.Parallel),
	}
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool, len(detectors))
	for _, d := range detectors {
		if names[d.Name()] {
			return nil, fmt.Errorf("detect: two detectors are named %q", d.Name())
		}
		names[d.Name()] = true
		r := &runner{
			cfg:      cfg,
			detector: d,
			store:    store,
			recorder: recorder,
			logger:   e.logger.With("detector", d.Name()),
			metrics:  m.of(d.Name()),
		}
		if err := r.registerLag(reg); err != nil {
			return nil, err
		}
		e.runners = append(e.runners, r)
	}
	return e, nil
}

// Run detects until ctx ends. A detector that fails is tried again with growing
// pauses; the others go on meanwhile.
func (e *Engine) Run(ctx context.Context) error {
	var group errgroup.Group
	for _, r := range e.runners {
		group.Go(func() error {
			e.follow(ctx, r)
			return nil
		})
	}
	return group.Wait()
}

// Step runs every detector over all windows that are complete now. It returns
// what went wrong, joined; each detector stops at the window that failed.
func (e *Engine) Step(ctx context.Context) error {
	var all []error
	for _, r := range e.runners {
		for more := true; more; {
			var err error
			if more, err = e.batch(ctx, r); err != nil {
				all = append(all, fmt.Errorf("detector %s: %w", r.detector.Name(), err))
			}
		}
	}
	return errors.Join(all...)
}

// follow keeps one detector up with the watermark until ctx ends.
func (e *Engine) follow(ctx context.Context, r *runner) {
	ticker := time.NewTicker(e.cfg.Poll)
	defer ticker.Stop()
	pause := newPause()
	for ctx.Err() == nil {
		more, err := e.batch(ctx, r)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait := pause.NextBackOff()
			r.logger.Error("detector failed", "error", err, "retry_in", wait)
			sleep(ctx, wait)
			continue
		}
		pause.Reset()
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// batch runs the next complete windows of one detector, at most batchWindows;
// more says that further ones are waiting. An error leaves more false.
func (e *Engine) batch(ctx context.Context, r *runner) (more bool, err error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return r.batch(ctx, e.complete())
}

// complete is the end of the last window whose records are all stored; zero when
// that is not known yet.
func (e *Engine) complete() time.Time {
	mark := e.watermark()
	if mark.IsZero() {
		return time.Time{}
	}
	if now := time.Now(); mark.After(now) {
		mark = now
	}
	return align(mark, e.cfg.Window)
}

// sleep waits until d is over or ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
