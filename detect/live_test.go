package detect_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/enrich"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// witness is a detector that tells all that it is shown: a session, or a row of
// pair_hours of the hours before its window, is a finding.
type witness struct{ every time.Duration }

func (d witness) Name() string { return "witness-" + strings.TrimRight(d.every.String(), "0sm") }

func (d witness) Every() time.Duration { return d.every }

func (d witness) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	var all []alert.Finding
	add := func(text string) {
		all = append(all, alert.Finding{ID: alert.Identity(d.Name(), text), Detector: d.Name(), Rule: "seen",
			WindowStart: w.Start, WindowEnd: w.End, FirstSeen: w.Start, LastSeen: w.Start, Severity: alert.Low, Summary: text})
	}
	if d.every < time.Hour {
		conversations, err := detect.Conversations(ctx, h, detect.ConversationQuery{Window: w, Attempts: true})
		for _, c := range conversations {
			add(fmt.Sprintf("%+v", c))
		}
		return all, err
	}
	var rows []struct {
		Text string `ch:"text"`
	}
	err := h.Select(ctx, &rows, `SELECT formatRow('TSV', * EXCEPT inserted_on) AS text FROM pair_hours
WHERE hour >= {from:DateTime64(3)} AND hour < {to:DateTime64(3)}`, detect.Param("from", w.Start.Add(-6*time.Hour)), detect.Param("to", w.End))
	for _, r := range rows {
		add(r.Text)
	}
	return all, err
}

var witnesses = []detect.Detector{witness{}, witness{every: 5 * time.Minute}, witness{every: time.Hour}}

// liveStart is a whole hour, liveEnd a time within one.
var (
	liveStart = time.UnixMilli(folderStart).UTC().Truncate(time.Hour)
	liveEnd   = liveStart.Add(2*time.Hour + 20*time.Minute)
)

// liveRecords are records over the time from liveStart to liveEnd: bursts, of which some
// lie at the bounds of panes and hours.
func liveRecords() []record {
	r := rand.New(rand.NewPCG(5, 5))
	var all []record
	for at := liveStart; at.Before(liveEnd); at = at.Add(time.Duration(1+r.IntN(800)) * time.Second) {
		for range 1 + r.IntN(8) {
			all = append(all, drawRecord(r.IntN, at.UnixMilli()+pick[int64](r.IntN, 0, 0, 1, 1999, 2000, 5000)))
		}
	}
	for h := range 3 { // the same five-tuple on both sides of an hour
		edge := liveStart.Add(time.Duration(h) * time.Hour).UnixMilli()
		x := drawRecord(r.IntN, edge)
		for _, at := range []int64{edge - 1, edge, edge + 1, edge + 290_000} {
			x.received = at
			all = append(all, x)
		}
	}
	all = slices.DeleteFunc(all, func(x record) bool {
		return x.received < liveStart.UnixMilli() || x.received >= liveEnd.UnixMilli()
	})
	slices.SortStableFunc(all, func(a, b record) int { return int(a.received - b.received) })
	return all
}

// liveStore is a database into which records come bit by bit.
type liveStore struct {
	*storage.Store
	t       *testing.T
	writer  *storage.Writer
	pending []record

	mu sync.Mutex
	// failSave, failWrite and failHour make the next calls fail after they were done.
	failSave, failWrite, failHour int
	// agoSaved is how much longer ago progress seems to have been saved.
	agoSaved time.Duration
}

func (s *liveStore) Followed(ctx context.Context, detector string) (end, saved time.Time, err error) {
	end, saved, err = s.Store.Followed(ctx, detector)
	return end, saved.Add(-s.agoSaved), err
}

func newLiveStore(t *testing.T) *liveStore {
	s := &liveStore{Store: testkit.Store(t), t: t, pending: liveRecords()}
	s.writer = testkit.Writer(t, s.Store)
	detecttest.NewStage(t, s.Store, s.writer, enrich.Chain{}) // runs the writer
	return s
}

// arrive stores the records received before mark, in any order.
func (s *liveStore) arrive(mark time.Time, r *rand.Rand) {
	s.t.Helper()
	n, _ := slices.BinarySearchFunc(s.pending, mark.UnixMilli(), func(x record, at int64) int {
		if x.received < at {
			return -1
		}
		return 1
	})
	if n == 0 {
		return
	}
	some := slices.Clone(s.pending[:n])
	s.pending = s.pending[n:]
	r.Shuffle(n, func(a, b int) { some[a], some[b] = some[b], some[a] })
	for _, part := range [][]record{some[:n/2], some[n/2:]} {
		if len(part) == 0 {
			continue
		}
		b := batch(part)
		for i := range part {
			b.Watched[i] = true
		}
		if err := errors.Join(s.writer.Write(s.t.Context(), b), s.writer.Flush(s.t.Context())); err != nil {
			s.t.Fatal(err)
		}
	}
}

var errCrash = errors.New("the test's crash")

func (s *liveStore) crash(left *int, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || *left == 0 {
		return err
	}
	*left--
	return errCrash
}

func (s *liveStore) SaveProgress(ctx context.Context, detector string, end time.Time) error {
	s.mu.Lock()
	lost := s.failSave > 0
	s.mu.Unlock()
	if lost { // a crash before it was saved
		return s.crash(&s.failSave, nil)
	}
	return s.Store.SaveProgress(ctx, detector, end)
}

func (s *liveStore) WriteSessions(ctx context.Context, sessions []detect.Session, token string) error {
	return s.crash(&s.failWrite, s.Store.WriteSessions(ctx, sessions, token))
}

func (s *liveStore) FinishHour(ctx context.Context, hour time.Time) error {
	return s.crash(&s.failHour, s.Store.FinishHour(ctx, hour))
}

// step runs a new engine over what is complete by mark; a crash is tried again by
// another one.
func (s *liveStore) step(r detect.Recorder, mark time.Time) {
	s.t.Helper()
	for {
		err := liveEngine(s.t, s, r, mark).Step(s.t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, errCrash) {
			s.t.Fatal(err)
		}
	}
}

func liveEngine(t *testing.T, store detect.Store, r detect.Recorder, mark time.Time) *detect.Engine {
	cfg := detect.DefaultConfig()
	cfg.Lookback = mark.Truncate(detect.Pane).Sub(liveStart) // it starts there, if never before
	e, err := detect.New(cfg, witnesses, store, r, func() time.Time { return mark }, testkit.Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// tables are the rows that were made of the records.
func (s *liveStore) tables() map[string][]string {
	s.t.Helper()
	all := map[string][]string{}
	for table, columns := range map[string]string{"sessions": "* EXCEPT inserted_on", "pair_hours": "* EXCEPT inserted_on", "history_hours FINAL": "hour, records"} {
		var rows []struct {
			Text string `ch:"text"`
		}
		if err := s.Select(s.t.Context(), &rows, "SELECT formatRow('TSV', "+columns+") AS text FROM "+table+" ORDER BY text"); err != nil {
			s.t.Fatal(err)
		}
		for _, r := range rows {
			all[table] = append(all[table], r.Text)
		}
	}
	return all
}

// outcome is what is to be equal however detection was run.
type outcome struct {
	Findings []alert.Finding
	Tables   map[string][]string
}

// lockedRecorder is a recorder for engines that work at once.
type lockedRecorder struct {
	mu sync.Mutex
	recorder
}

func (r *lockedRecorder) Record(ctx context.Context, findings []alert.Finding) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recorder.Record(ctx, findings)
}

// backtest makes all history at once and runs the detectors over it.
func backtest(t *testing.T, s *liveStore, chunk time.Duration) outcome {
	t.Helper()
	s.arrive(liveEnd, rand.New(rand.NewPCG(1, 1)))
	if err := detect.Rebuild(t.Context(), s, liveStart, liveEnd.Truncate(time.Hour).Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	var findings recorder = map[string]alert.Finding{}
	for w := range detect.Windows(liveStart, liveEnd, chunk) {
		b := detect.Backtest{Detectors: witnesses, History: detect.NewStored(s), Window: detect.Pane, Parallel: 2}
		found, err := b.Run(t.Context(), w.Start, w.End)
		if err != nil {
			t.Fatal(err)
		}
		if err := findings.Record(t.Context(), found); err != nil {
			t.Fatal(err)
		}
	}
	return outcome{findings.sorted(), s.tables()}
}

// TestLiveEqualsBacktest holds that what detectors are shown, and what is stored for
// them, is the same however the engine came there.
func TestLiveEqualsBacktest(t *testing.T) {
	want := backtest(t, newLiveStore(t), 24*time.Hour)
	if len(want.Findings) < 200 || len(want.Tables["pair_hours"]) < 50 {
		t.Fatalf("%d findings, %d rows of pair_hours: the test shows nothing", len(want.Findings), len(want.Tables["pair_hours"]))
	}
	// The hour that is not over is made in a backtest alone.
	running := backtestOnly(want.Tables)
	same := func(t *testing.T, got outcome) {
		t.Helper()
		if diff := diffFindings(want.Findings, got.Findings); diff != "" {
			t.Errorf("findings (-backtest +live):\n%s", diff)
		}
		if diff := cmp.Diff(running, backtestOnly(got.Tables)); diff != "" {
			t.Errorf("tables (-backtest +live):\n%s", diff)
		}
	}
	marks := func(t *testing.T, r *rand.Rand, do func(mark time.Time)) {
		for mark := liveStart; mark.Before(liveEnd); {
			mark = mark.Add(time.Duration(1+r.IntN(2_400_000)) * time.Millisecond)
			if mark.After(liveEnd) {
				mark = liveEnd
			}
			do(mark)
		}
	}
	t.Run("backtest in other pieces", func(t *testing.T) {
		t.Parallel()
		// Windows of five minutes and of an hour begin where they do live.
		same(t, backtest(t, newLiveStore(t), time.Hour))
	})
	t.Run("restarts at every step", func(t *testing.T) {
		t.Parallel()
		s, live, r := newLiveStore(t), recorder{}, rand.New(rand.NewPCG(2, 2))
		marks(t, r, func(mark time.Time) {
			s.arrive(mark, r)
			s.step(live, mark)
		})
		same(t, outcome{live.sorted(), s.tables()})
	})
	t.Run("one engine all the time", func(t *testing.T) {
		t.Parallel()
		s, live, r := newLiveStore(t), recorder{}, rand.New(rand.NewPCG(3, 3))
		mark := liveStart.Add(time.Second)
		cfg := detect.DefaultConfig()
		e, err := detect.New(cfg, witnesses, s, live, func() time.Time { return mark }, testkit.Logger(t), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.SaveProgress(t.Context(), "sessions", liveStart), e.Step(t.Context())); err != nil {
			t.Fatal(err)
		}
		marks(t, r, func(m time.Time) {
			mark = m
			s.arrive(m, r)
			if err := e.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		got := live.sorted() // the first start looks back before the first record
		same(t, outcome{got, s.tables()})
	})
	t.Run("crashes", func(t *testing.T) {
		t.Parallel()
		s, live, r := newLiveStore(t), recorder{}, rand.New(rand.NewPCG(4, 4))
		n := 0
		marks(t, r, func(mark time.Time) {
			s.arrive(mark, r)
			s.failSave, s.failWrite, s.failHour = n%3, (n+1)%2, n%2
			s.step(live, mark)
			if n++; n%3 == 0 { // all progress is forgotten
				for _, name := range []string{"sessions", witnesses[0].Name(), witnesses[1].Name(), witnesses[2].Name()} {
					if err := s.RewindProgress(t.Context(), name, liveStart); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
		same(t, outcome{live.sorted(), s.tables()})
	})
	// A backtest makes what is missing while detection goes on, or before it goes on.
	for name, running := range map[string]bool{"backtests meanwhile": true, "backtests while it stands still": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, live, r := newLiveStore(t), recorder{}, rand.New(rand.NewPCG(7, 7))
			marks(t, r, func(mark time.Time) {
				s.arrive(mark, r)
				s.step(live, mark)
				if !running {
					s.agoSaved = time.Hour
				}
				s.arrive(mark.Add(time.Second), r)
				if _, err := detect.Complete(t.Context(), s, liveStart, mark, nil); err != nil {
					t.Fatal(err)
				}
			})
			same(t, outcome{live.sorted(), s.tables()})
		})
	}
	t.Run("two engines at once", func(t *testing.T) {
		t.Parallel()
		s, live, r := newLiveStore(t), &lockedRecorder{recorder: recorder{}}, rand.New(rand.NewPCG(6, 6))
		marks(t, r, func(mark time.Time) {
			s.arrive(mark, r)
			var group sync.WaitGroup
			for range 2 {
				group.Go(func() {
					if err := liveEngine(t, s, live, mark).Step(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		})
		same(t, outcome{live.sorted(), s.tables()})
	})
}

// backtestOnly leaves out what a backtest makes of the hour that is not over.
func backtestOnly(tables map[string][]string) map[string][]string {
	last := liveEnd.Truncate(time.Hour).Format(time.DateTime)
	for _, table := range []string{"pair_hours", "history_hours FINAL"} {
		tables[table] = slices.DeleteFunc(tables[table], func(row string) bool { return strings.HasPrefix(row, last) })
	}
	return tables
}

// diffFindings is quick about findings that are equal, and short about others.
func diffFindings(want, got []alert.Finding) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	texts := func(all []alert.Finding) []string {
		lines := make([]string, len(all))
		for i, f := range all {
			lines[i] = fmt.Sprintf("%s %s %s %s", f.Detector, f.WindowStart, f.ID, f.Summary)
		}
		return lines
	}
	return cmp.Diff(texts(want), texts(got))
}
