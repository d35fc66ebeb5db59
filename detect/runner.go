package detect

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v7"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
)

// batchWindows is how many windows a detector runs before its progress is saved
// and the next detector gets its turn.
const batchWindows = 300

// saveEvery is how much stream time may be detected again after a crash: what repeats
// itself replaces itself, and saving progress costs an insert.
const saveEvery = 30 * time.Second

// runner brings one detector from window to window.
type runner struct {
	cfg      Config
	every    time.Duration // length of a window
	detector Detector
	store    Store
	history  History
	hold     func(*alert.Finding) bool
	recorder Recorder
	logger   *slog.Logger
	metrics  detectorMetrics

	// next is where the next window starts; zero until progress was read. One
	// goroutine at a time runs batch.
	next time.Time
	// saved is the progress that is stored.
	saved time.Time
	// done is next in Unix milliseconds, for the lag; 0 until progress was read.
	done atomic.Int64
}

// batch runs the next windows that end by until, at most batchWindows, and now and
// then saves progress. Sessions are made up to until, of records that are complete a
// little further.
func (r *runner) batch(ctx context.Context, until, complete time.Time) (more bool, err error) {
	if until.IsZero() || complete.IsZero() {
		return false, nil
	}
	if err := r.resume(ctx, complete); err != nil {
		r.metrics.errors.Inc()
		return false, err
	}
	if err := r.rewind(ctx, complete); err != nil {
		r.metrics.errors.Inc()
		return false, err
	}
	n := 0
	for w := range Windows(r.next, align(until, r.every), r.every) {
		if n == batchWindows {
			more = true
			break
		}
		if err = r.window(ctx, w); err != nil {
			break
		}
		r.reached(w.End)
		n++
	}
	if err != nil && ctx.Err() == nil {
		r.metrics.errors.Inc()
	}
	if r.next.Sub(r.saved) >= saveEvery {
		if saveErr := r.save(ctx); saveErr != nil && err == nil {
			err = saveErr
		}
	}
	return more && err == nil, err
}

// resume finds where the detector goes on, the first time it is called.
func (r *runner) resume(ctx context.Context, complete time.Time) error {
	if !r.next.IsZero() {
		return nil
	}
	end, err := r.store.Progress(ctx, r.detector.Name())
	if err != nil {
		return fmt.Errorf("read how far the detector has come: %w", err)
	}
	if end.IsZero() {
		end = align(complete.Add(-r.cfg.Lookback), r.every)
		r.logger.Info("detector starts", "from", end)
	}
	r.saved = end.UTC()
	r.reached(r.saved)
	return nil
}

// leave saves what progress is not saved yet.
func (r *runner) leave(ctx context.Context) error {
	if !r.next.After(r.saved) {
		return nil
	}
	return r.save(ctx)
}

// maxAhead is how far progress may be ahead of what is complete before the clock is
// held to have been wrong: two nodes of one store differ by less.
const maxAhead = time.Minute

// rewind goes on from now where detection had come further than now: the clock had
// been ahead, and what is stored from now on must not pass unseen.
func (r *runner) rewind(ctx context.Context, complete time.Time) error {
	if r.next.Sub(complete) <= maxAhead {
		return nil
	}
	end := align(complete, r.every)
	r.metrics.errors.Inc()
	r.logger.Error("the clock was ahead: detection goes on from now", "had_come_to", r.next, "from", end)
	if err := r.store.RewindProgress(ctx, r.detector.Name(), end); err != nil {
		return err
	}
	r.saved = end
	r.reached(end)
	return nil
}

func (r *runner) reached(end time.Time) {
	r.next = end
	r.done.Store(end.UnixMilli())
}

// save keeps how far the detector has come, also when ctx has just ended: a
// repeated window costs more than the write. Where it fails, the next start
// repeats the batch.
func (r *runner) save(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	defer cancel()
	if err := r.store.SaveProgress(ctx, r.detector.Name(), r.next); err != nil {
		r.metrics.errors.Inc()
		return fmt.Errorf("save how far the detector has come: %w", err)
	}
	r.saved = r.next
	return nil
}

// window detects and records one window.
func (r *runner) window(ctx context.Context, w Window) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	began := time.Now()
	findings, err := r.detect(ctx, w)
	if err != nil {
		return fmt.Errorf("window %s: %w", w.Start.Format(time.RFC3339), err)
	}
	findings = slices.DeleteFunc(findings, func(f alert.Finding) bool {
		held := r.hold(&f)
		if held {
			r.metrics.held.Inc()
		}
		return held
	})
	if len(findings) > 0 {
		if err := r.recorder.Record(ctx, findings); err != nil {
			return fmt.Errorf("record the findings of window %s: %w", w.Start.Format(time.RFC3339), err)
		}
	}
	r.metrics.windows.Inc()
	r.metrics.seconds.Observe(time.Since(began).Seconds())
	for i := range findings {
		r.metrics.findings.WithLabelValues(r.detector.Name(), findings[i].Severity.String()).Inc()
	}
	return nil
}

// detect runs the detector and turns a panic into an error: one bad detector must
// not end the others, nor the collection of flows.
func (r *runner) detect(ctx context.Context, w Window) (findings []alert.Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			findings, err = nil, fmt.Errorf("the detector panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return r.detector.Detect(ctx, w, r.history)
}

// registerLag registers the gauge of how far the detector is behind. It is
// computed when asked for, so it grows also while a query hangs.
func (r *runner) registerLag(reg prometheus.Registerer) error {
	return reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "tapwatch_detect_lag_seconds",
		Help:        "How far the end of the last detected window is behind now; 0 before the first.",
		ConstLabels: prometheus.Labels{"detector": r.detector.Name()},
	}, func() float64 {
		done := r.done.Load()
		if done == 0 {
			return 0
		}
		return time.Since(time.UnixMilli(done)).Seconds()
	}))
}

// newPause gives the growing pauses between attempts: from one second to one
// minute, for ever.
func newPause() *backoff.ExponentialBackOff {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = time.Second
	pause.MaxInterval = time.Minute
	pause.Reset()
	return pause
}
