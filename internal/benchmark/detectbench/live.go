package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/measure"
)

// processorTime is how long tapwatch, which is this process, and its engine have been
// computing.
type processorTime struct{ tapwatch, engine time.Duration }

func (s *stored) cpu() (p processorTime, err error) {
	if p.tapwatch, err = measure.CPU(os.Getpid()); err != nil {
		return p, err
	}
	p.engine, err = measure.CPU(s.engine)
	return p, err
}

func (p processorTime) since(before processorTime) processorTime {
	return processorTime{p.tapwatch - before.tapwatch, p.engine - before.engine}
}

func (p processorTime) seconds() float64 { return (p.tapwatch + p.engine).Seconds() }

// live measures what following the stream costs, at each rate in an hour of its own after
// the campaign.
func (s *stored) live(ctx context.Context) error {
	s.report.Say("\nlive: %s of stream time at each rate, and the end of an hour", s.during)
	source := newSource(s)
	defer source.close()
	shares := map[int]float64{}
	for i, times := range []int{1, 4, 16} {
		rate := s.rate * float64(times)
		hour := s.to.Add(time.Duration(2+i) * time.Hour) // away from midnight, when detectors of days have their turn
		if err := source.store(ctx, hour, rate); err != nil {
			return err
		}
		f := &following{stored: s, end: hour.Add(time.Hour)}
		f.from = f.end.Add(-s.during)
		if err := f.prepare(ctx, hour); err != nil {
			return err
		}
		panes, hourly, err := f.run(ctx)
		if err != nil {
			return err
		}
		stream := (s.during - detect.Pane).Seconds()
		shares[times] = panes.seconds()/stream + hourly.seconds()/3600
		s.report.Say("  %5.0f watched records/s: %.4f of a core: tapwatch %.4f and the engine %.4f in panes, %.4f for the end of each hour (%.1f s); %d findings",
			rate, shares[times], panes.tapwatch.Seconds()/stream, panes.engine.Seconds()/stream, hourly.seconds()/3600, hourly.seconds(), f.findings.Load())
		name := fmt.Sprintf("_%dx", times)
		s.report.Add("detect_core_share"+name, shares[times])
		s.report.Add("detect_tapwatch_core_share"+name, panes.tapwatch.Seconds()/stream)
		s.report.Add("detect_engine_core_share"+name, panes.engine.Seconds()/stream)
		s.report.Add("detect_hour_cpu_s"+name, hourly.seconds())
	}
	s.report.Add("detect_growth_16x", shares[16]/shares[1]/16)
	return nil
}

// following is an engine that follows the stream from a time within an hour to its end.
type following struct {
	*stored
	from, end time.Time
	mark      atomic.Int64 // Unix milliseconds: what is complete
	windows   atomic.Int64 // detected so far, by all detectors
	findings  atomic.Int64
}

// prepare makes what would be there of the hour by f.from, and says so.
func (f *following) prepare(ctx context.Context, hour time.Time) error {
	var pending []detect.Session
	write := func() error {
		err := f.WriteSessions(ctx, pending, "")
		pending = pending[:0]
		return err
	}
	err := detect.FoldSessions(ctx, f.Store, hour, f.from, func(_ time.Time, sessions []detect.Session) error {
		if pending = append(pending, sessions...); len(pending) < 100_000 {
			return nil
		}
		return write()
	})
	if err := errors.Join(err, write(), f.SaveProgress(ctx, "sessions", f.from)); err != nil {
		return err
	}
	all, _, err := app.Detection(f.config)
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := f.SaveProgress(ctx, d.Name(), f.begins(d)); err != nil {
			return err
		}
	}
	return f.settle(ctx)
}

// begins is where a detector's first window starts.
func (f *following) begins(d detect.Detector) time.Time {
	return f.from.Truncate(max(d.Every(), f.config.Detect.Window))
}

// Record stores findings, as a running tapwatch does.
func (f *following) Record(ctx context.Context, findings []alert.Finding) error {
	f.findings.Add(int64(len(findings)))
	return f.InsertFindings(ctx, findings, time.Now())
}

// counted is a detector whose windows are counted.
type counted struct {
	detect.Detector
	windows *atomic.Int64
}

func (d counted) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	found, err := d.Detector.Detect(ctx, w, h)
	if err == nil {
		d.windows.Add(1)
	}
	return found, err
}

// run lets the watermark go on pane by pane, each as soon as all detectors have seen the
// one before. It gives the processor time of all panes but the last, and that of the last
// one, which ends the hour.
func (f *following) run(ctx context.Context) (panes, hourly processorTime, err error) {
	all, hold, err := app.Detection(f.config)
	if err != nil {
		return panes, hourly, err
	}
	watched := make([]detect.Detector, len(all))
	for i, d := range all {
		watched[i] = counted{d, &f.windows}
	}
	cfg := f.config.Detect.Config
	cfg.Poll = 10 * time.Millisecond // stream time passes faster than the clock
	f.mark.Store(f.from.UnixMilli())
	watermark := func() time.Time { return time.UnixMilli(f.mark.Load()) }
	engine, err := detect.New(cfg, watched, f.Store, f, watermark, f.logger, prometheus.NewRegistry())
	if err != nil {
		return panes, hourly, err
	}
	engine.Hold = hold
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	began, err := f.cpu()
	if err != nil {
		return panes, hourly, err
	}
	for at := f.from.Add(detect.Pane); !at.After(f.end); at = at.Add(detect.Pane) {
		if at.Equal(f.end) {
			if panes, err = f.spent(ctx, began); err != nil {
				return panes, hourly, err
			}
			if began, err = f.cpu(); err != nil {
				return panes, hourly, err
			}
		}
		f.mark.Store(at.UnixMilli())
		if err := f.reach(ctx, all, at); err != nil {
			return panes, hourly, err
		}
	}
	hourly, err = f.spent(ctx, began)
	return panes, hourly, err
}

// spent is the processor time since, with the merges of what was stored.
func (f *following) spent(ctx context.Context, since processorTime) (processorTime, error) {
	if err := f.settle(ctx); err != nil {
		return processorTime{}, err
	}
	now, err := f.cpu()
	return now.since(since), err
}

// reach waits until all windows that end by then are detected.
func (f *following) reach(ctx context.Context, all []detect.Detector, at time.Time) error {
	due := int64(0)
	for _, d := range all {
		every := max(d.Every(), f.config.Detect.Window)
		due += int64(at.Truncate(every).Sub(f.begins(d)) / every)
	}
	const patience = 10 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.windows.Load() < due {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d windows are detected by %s: %w", f.windows.Load(), due, at, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}
