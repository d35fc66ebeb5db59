package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"tapwatch/alert"
)

// Engine runs detectors over the windows of the stored flows, each detector at
// its own pace, each window once it is complete. Findings are recorded before
// progress is saved, so that a crash in between repeats windows and never skips
// one; repeated findings replace themselves.
type Engine struct {
	// Hold tells whether a maintenance window holds a finding back: it is counted and
	// not recorded. Nil holds nothing. It is set before the engine runs.
	Hold func(*alert.Finding) bool

	cfg       Config
	maker     *maker
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
	e.maker = &maker{changed: make(chan struct{}), store: store, logger: e.logger, made: m.sessions, errors: m.failures.WithLabelValues(makerName)}
	names := map[string]bool{makerName: true}
	for _, d := range detectors {
		if names[d.Name()] {
			return nil, fmt.Errorf("detect: two detectors are named %q", d.Name())
		}
		names[d.Name()] = true
		if every := d.Every(); every%Pane != 0 || every > 0 && day%every != 0 && every%day != 0 {
			return nil, fmt.Errorf("detect: the windows of %q are %v: not whole panes that divide a day", d.Name(), every)
		}
		r := &runner{
			cfg:      cfg,
			every:    cmp.Or(d.Every(), cfg.Window),
			detector: d,
			history:  e.maker,
			hold:     e.held,
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

// Run detects until ctx ends. What fails is tried again with growing pauses; the
// others go on meanwhile.
func (e *Engine) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error {
		e.follow(ctx, e.logger.With("detector", makerName), func() <-chan struct{} { return nil }, e.make)
		return nil
	})
	for _, r := range e.runners {
		group.Go(func() error {
			e.follow(ctx, r.logger, e.maker.changes, func(ctx context.Context) (bool, error) { return e.batch(ctx, r) })
			return r.leave(ctx)
		})
	}
	return group.Wait()
}

// Step makes all sessions that are complete now and runs every detector over all
// complete windows. It returns what went wrong, joined; each detector stops at the
// window that failed.
func (e *Engine) Step(ctx context.Context) error {
	all := []error{whole(ctx, e.make)}
	for _, r := range e.runners {
		err := whole(ctx, func(ctx context.Context) (bool, error) { return e.batch(ctx, r) })
		if err == nil {
			err = r.leave(ctx)
		}
		if err != nil {
			all = append(all, fmt.Errorf("detector %s: %w", r.detector.Name(), err))
		}
	}
	return errors.Join(all...)
}

// whole runs batches until no more is waiting.
func whole(ctx context.Context, batch func(context.Context) (more bool, err error)) error {
	for {
		if more, err := batch(ctx); err != nil || !more {
			return err
		}
	}
}

// follow keeps up with the watermark until ctx ends: it looks at every poll, and when
// the channel that news gives is closed.
func (e *Engine) follow(ctx context.Context, logger *slog.Logger, news func() <-chan struct{}, batch func(context.Context) (more bool, err error)) {
	ticker := time.NewTicker(e.cfg.Poll)
	defer ticker.Stop()
	pause := newPause()
	for ctx.Err() == nil {
		changed := news()
		more, err := batch(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait := pause.NextBackOff()
			logger.Error("detector failed", "error", err, "retry_in", wait)
			sleep(ctx, wait)
			continue
		}
		pause.Reset()
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-ticker.C:
		}
	}
}

// make makes the next sessions.
func (e *Engine) make(ctx context.Context) (more bool, err error) {
	complete := e.complete()
	return e.maker.batch(ctx, complete, complete.Add(-e.cfg.Lookback))
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
	return r.batch(ctx, e.maker.until(), e.complete())
}

// held counts findings that a maintenance window holds back.
func (e *Engine) held(f *alert.Finding) bool { return e.Hold != nil && e.Hold(f) }

// complete is the end of the last pane whose records are all stored; zero when
// that is not known yet.
func (e *Engine) complete() time.Time {
	mark := e.watermark()
	if mark.IsZero() {
		return time.Time{}
	}
	if now := time.Now(); mark.After(now) {
		mark = now
	}
	return align(mark, Pane)
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
