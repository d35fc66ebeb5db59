package detect_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/alert"
	"tapwatch/detect"
	flows "tapwatch/flow"
)

// memory is a store and a recorder for tests of the engine alone.
type memory struct {
	mu       sync.Mutex
	progress map[string]time.Time
	saves    int
	recorded []alert.Finding
	rewound  int
	fail     error // of Record, SaveProgress and Progress
}

func newMemory() *memory { return &memory{progress: map[string]time.Time{}} }

func (*memory) Select(context.Context, any, string, ...any) error { return nil }

// There are no flows.
func (*memory) ReadWatched(context.Context, time.Time, time.Time, func(*flows.Batch) error) error {
	return nil
}

func (*memory) ReadSessions(context.Context, time.Time, time.Time, func([]flows.Session) error) error {
	return nil
}

func (*memory) WriteSessions(context.Context, []flows.Session, string) error { return nil }

func (*memory) FinishHour(context.Context, time.Time) error { return nil }

func (*memory) FinishHours(context.Context, time.Time, time.Time) error { return nil }

func (*memory) HourMade(context.Context, time.Time) (made, stale bool, err error) {
	return false, false, nil
}

func (*memory) ForgetSessions(context.Context, time.Time, time.Time) error { return nil }

func (m *memory) Progress(_ context.Context, detector string) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress[detector], m.fail
}

func (m *memory) RewindProgress(ctx context.Context, detector string, end time.Time) error {
	m.rewound++
	return m.SaveProgress(ctx, detector, end)
}

func (m *memory) SaveProgress(_ context.Context, detector string, end time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil && detector != "sessions" {
		return m.fail
	}
	m.progress[detector] = end
	m.saves++
	return nil
}

func (m *memory) Record(_ context.Context, findings []alert.Finding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.recorded = append(m.recorded, findings...)
	return nil
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// probe is a detector that remembers its windows and yields one finding in each.
type probe struct {
	name string
	mu   sync.Mutex
	seen []detect.Window
	// err is called for each window; nil never fails.
	err func(detect.Window) error
}

func (p *probe) Name() string { return p.name }

func (*probe) Every() time.Duration { return 10 * time.Second }

func (p *probe) Detect(_ context.Context, w detect.Window, _ detect.History) ([]alert.Finding, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		if err := p.err(w); err != nil {
			return nil, err
		}
	}
	p.seen = append(p.seen, w)
	return []alert.Finding{{ID: p.name, WindowStart: w.Start, WindowEnd: w.End, Severity: alert.High}}, nil
}

func (p *probe) windows() []detect.Window {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// contiguous fails the test unless the windows are aligned and follow each other
// from one time to another.
func contiguous(t *testing.T, windows []detect.Window, from, to time.Time) {
	t.Helper()
	want := slices.Collect(detect.Windows(from, to, 10*time.Second))
	if diff := cmp.Diff(want, windows); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}

func newEngine(t *testing.T, m *memory, watermark func() time.Time, reg prometheus.Registerer, detectors ...detect.Detector) *detect.Engine {
	t.Helper()
	cfg := detect.DefaultConfig()
	cfg.Lookback = 5 * time.Minute
	e, err := detect.New(cfg, detectors, m, m, watermark, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestStepRunsCompleteWindows(t *testing.T) {
	m, p := newMemory(), &probe{name: "a"}
	mark := time.Time{}
	e := newEngine(t, m, func() time.Time { return mark }, prometheus.NewRegistry(), p)
	step := func(to time.Time) {
		t.Helper()
		mark = to
		if err := e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step(time.Time{}) // not known yet
	if len(p.seen) != 0 {
		t.Fatalf("ran %v without a watermark", p.seen)
	}
	step(noon.Add(9999 * time.Millisecond))
	contiguous(t, p.seen, noon.Add(-5*time.Minute), noon)
	step(noon.Add(10 * time.Second))
	step(noon.Add(5 * time.Second)) // a watermark that goes back changes nothing
	step(noon.Add(31 * time.Second))
	contiguous(t, p.seen, noon.Add(-5*time.Minute), noon.Add(30*time.Second))
	if got := m.progress["a"]; !got.Equal(noon.Add(30 * time.Second)) {
		t.Errorf("progress %s", got)
	}
}

func TestFirstStartLooksBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{name: "a"}
		future := func() time.Time { return time.Now().Add(1000 * time.Hour) }
		e := newEngine(t, newMemory(), future, prometheus.NewRegistry(), p)
		if err := e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := time.Now().UTC() // midnight in the bubble
		contiguous(t, p.seen, now.Add(-5*time.Minute), now)
	})
}

func TestUnalignedProgressLosesNothing(t *testing.T) {
	m, p := newMemory(), &probe{name: "a"}
	m.progress["a"] = noon.Add(3 * time.Second) // as an engine with another window may leave it
	e := newEngine(t, m, func() time.Time { return noon.Add(25 * time.Second) }, prometheus.NewRegistry(), p)
	if err := e.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []detect.Window{{Start: noon.Add(3 * time.Second), End: noon.Add(10 * time.Second)}, {Start: noon.Add(10 * time.Second), End: noon.Add(20 * time.Second)}}
	if diff := cmp.Diff(want, p.seen); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}

// TestClockThatWasAhead: a machine that ran hours ahead left its progress in the
// future; after a restart with the right clock detection goes on from now.
func TestClockThatWasAhead(t *testing.T) {
	m, p := newMemory(), &probe{name: "a"}
	m.progress["a"] = noon.Add(6 * time.Hour)
	mark := noon
	e := newEngine(t, m, func() time.Time { return mark }, prometheus.NewRegistry(), p)
	if err := e.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	mark = noon.Add(20 * time.Second)
	if err := e.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	contiguous(t, p.seen, noon, mark)
	if m.rewound != 1 || !m.progress["a"].Equal(mark) {
		t.Errorf("rewound %d times, progress %s", m.rewound, m.progress["a"])
	}
}

func TestRunFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, p := newMemory(), &probe{name: "a"}
		began := time.Now().UTC()
		reg := prometheus.NewRegistry()
		e := newEngine(t, m, time.Now, reg, p)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		time.Sleep(65 * time.Second)
		synctest.Wait()
		contiguous(t, p.windows(), began.Add(-5*time.Minute), began.Add(60*time.Second))
		if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP tapwatch_detect_findings_total Findings recorded, by severity; one alert has one for each window it shows in.
# TYPE tapwatch_detect_findings_total counter
tapwatch_detect_findings_total{detector="a",severity="high"} 36
# HELP tapwatch_detect_lag_seconds How far the end of the last detected window is behind now; 0 before the first.
# TYPE tapwatch_detect_lag_seconds gauge
tapwatch_detect_lag_seconds{detector="a"} 5
# HELP tapwatch_detect_windows_total Windows that a detector has finished.
# TYPE tapwatch_detect_windows_total counter
tapwatch_detect_windows_total{detector="a"} 36
`), "tapwatch_detect_findings_total", "tapwatch_detect_windows_total", "tapwatch_detect_lag_seconds"); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestFailingDetectorIsRetriedAndAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		began := time.Now().UTC()
		mend := began.Add(3 * time.Minute)
		bad := &probe{name: "bad", err: func(w detect.Window) error {
			switch {
			case time.Now().After(mend), w.Start.Before(began):
				return nil
			case w.Start.Equal(began):
				return errors.New("clickhouse is away")
			default:
				panic("a bug")
			}
		}}
		good := &probe{name: "good"}
		reg := prometheus.NewRegistry()
		e := newEngine(t, m, time.Now, reg, bad, good)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		contiguous(t, bad.windows(), began.Add(-5*time.Minute), began)
		contiguous(t, good.windows(), began.Add(-5*time.Minute), began.Add(2*time.Minute))
		errs, err := testutil.GatherAndCount(reg, "tapwatch_detect_errors_total")
		if err != nil || errs != 3 { // those of the sessions too
			t.Errorf("%d series of errors, %v", errs, err)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		contiguous(t, bad.windows(), began.Add(-5*time.Minute), began.Add(5*time.Minute))
		cancel()
		<-done
	})
}

func TestPanicIsAnError(t *testing.T) {
	p := &probe{name: "a", err: func(detect.Window) error { panic("a bug") }}
	e := newEngine(t, newMemory(), func() time.Time { return noon }, prometheus.NewRegistry(), p)
	err := e.Step(t.Context())
	if err == nil || !strings.Contains(err.Error(), "detector a: window 2026-01-01T11:55:00Z: the detector panicked: a bug") {
		t.Errorf("error %v", err)
	}
}

func TestFindingsAreRecordedBeforeProgress(t *testing.T) {
	m, p := newMemory(), &probe{name: "a"}
	mark := noon
	e := newEngine(t, m, func() time.Time { return mark }, prometheus.NewRegistry(), p)
	if err := e.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	mark = noon.Add(10 * time.Second)
	m.setFail(errors.New("disk full"))
	if err := e.Step(t.Context()); err == nil || !strings.Contains(err.Error(), "record the findings of window 2026-01-01T12:00:00Z: disk full") {
		t.Errorf("error %v", err)
	}
	if got := m.progress["a"]; !got.Equal(noon) {
		t.Errorf("progress %s though the findings were not recorded", got)
	}
	m.setFail(nil)
	if err := e.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last := m.recorded[len(m.recorded)-1]; !last.WindowStart.Equal(noon) {
		t.Errorf("the last recorded window began %s", last.WindowStart)
	}
}

func TestNewRefuses(t *testing.T) {
	m := newMemory()
	logger := slog.New(slog.DiscardHandler)
	_, err := detect.New(detect.DefaultConfig(), []detect.Detector{&probe{name: "a"}, &probe{name: "a"}}, m, m, time.Now, logger, prometheus.NewRegistry())
	if err == nil || err.Error() != `detect: two detectors are named "a"` {
		t.Errorf("error %v", err)
	}
	cfg := detect.DefaultConfig()
	cfg.Window = 7 * time.Second
	if _, err = detect.New(cfg, nil, m, m, time.Now, logger, prometheus.NewRegistry()); err == nil {
		t.Error("a window of 7s was taken")
	}
}

func TestConfig(t *testing.T) {
	bad := detect.Config{Window: 7 * time.Second, Lookback: -1, Poll: 1, Timeout: 1, Parallel: 0}
	want := "window: 7s does not do: use 2s to 1h, and a multiple of 2s that divides a day\nlookback: -1ns does not do: use 0s to 720h\n" +
		"poll: 1ns does not do: use 10ms to 1h\ntimeout: 1ns is below 1s\nparallel: 0 is below 1"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant %s", err, want)
	}
}
