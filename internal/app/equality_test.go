package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/alert"
	"tapwatch/collector"
	"tapwatch/detect"
	"tapwatch/internal/testkit"
	"tapwatch/simulate/campaign"
	"tapwatch/storage"
)

// equality is a campaign of which an hour and a half around midnight is detected live and
// in a backtest, by all detectors.
type equality struct {
	t        *testing.T
	cfg      Config
	campaign *campaign.Campaign
	start    time.Time
	from, to time.Time // of what is detected
	midnight time.Time
}

// wholeHistory names the variable of the environment that has all of the campaign stored
// before, not hours of it: detectors that learn have more to say then, and the test takes
// minutes.
const wholeHistory = "TAPWATCH_TEST_WHOLE_HISTORY"

func newEquality(t *testing.T) *equality {
	e := &equality{t: t}
	c := campaign.SmallConfig()
	c.History, c.Attack = 24*time.Hour, 48*time.Hour
	// Of all hours at which the campaign may begin, that at which most goes on about the
	// second midnight: detectors of whole days have their turn there.
	base, most := c.Start, -1
	for h := range 24 {
		c.Start = base.Add(time.Duration(h) * time.Hour)
		x, err := campaign.New(c)
		if err != nil {
			t.Fatal(err)
		}
		midnight := c.Start.Add(c.History + 24*time.Hour).Truncate(24 * time.Hour)
		from, to := midnight.Add(-time.Hour), midnight.Add(30*time.Minute)
		techniques := map[string]bool{}
		for _, l := range x.Labels() {
			if l.First.Before(to) && l.Last.After(from) {
				techniques[l.Technique] = true
			}
		}
		if len(techniques) > most {
			most = len(techniques)
			e.campaign, e.start, e.from, e.to, e.midnight = x, c.Start, from, to, midnight
		}
	}
	var err error
	evaluation := Evaluation{Campaign: c, Detect: defaultDetectConfig(), Dir: t.TempDir()}
	if e.cfg, err = evaluation.config(e.campaign); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(wholeHistory) == "" {
		e.start = e.from.Add(-8 * time.Hour)
	}
	t.Logf("from %s to %s, %d techniques and traps, what is stored begins at %s", e.from, e.to, most, e.start)
	return e
}

// feed sends the campaign through the pipeline and calls at whenever all received before
// a mark is stored.
func (e *equality) feed(store *storage.Store, marks []time.Time, at func(mark time.Time)) {
	t, ctx := e.t, e.t.Context()
	t.Helper()
	registry := prometheus.NewRegistry()
	inv, err := e.cfg.loadInventory()
	if err != nil {
		t.Fatal(err)
	}
	enrichment, err := newEnrichment(e.cfg.Enrich, inv, testkit.Logger(t), registry)
	if err != nil {
		t.Fatal(err)
	}
	writer := testkit.Writer(t, store)
	r := &replay{
		decoder: collector.NewDecoder(e.cfg.Collector, protocols(), listedExporters{inv}),
		writer:  writer, enrich: enrichment, began: time.Now(), done: Replayed{Dropped: map[string]uint64{}},
		health: healthBook{store: store, every: e.cfg.Collector.HealthInterval},
	}
	life := newLifecycle()
	life.start("writer", writer.Run)
	defer func() {
		if err := life.stop(); err != nil {
			t.Error(err)
		}
	}()
	for d := range exports(e.campaign) {
		if d.at.Before(e.start) {
			continue
		}
		for len(marks) > 0 && !d.at.Before(marks[0]) {
			if r.health.due(d.at) {
				r.count(r.decoder.Health(r.health.next))
				if err := r.health.advance(ctx, d.at); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(r.write(ctx), writer.Flush(ctx), r.health.flush(ctx)); err != nil {
				t.Fatal(err)
			}
			at(marks[0])
			marks = marks[1:]
		}
		if len(marks) == 0 {
			return
		}
		if err := r.take(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("the campaign ended before %s", marks[0])
}

func (e *equality) detectors() []detect.Detector {
	rules := e.cfg.Rules()
	inv, err := rules.live()
	if err != nil {
		e.t.Fatal(err)
	}
	return detectors(rules.Detect, inv)
}

func (e *equality) hold() func(*alert.Finding) bool {
	inv, err := e.cfg.loadInventory()
	if err != nil {
		e.t.Fatal(err)
	}
	return holder(inv.Load)
}

// found are the findings of a run, each once.
type found struct {
	mu    sync.Mutex
	all   map[string]alert.Finding
	store *storage.Store // keeps them too; nil: none does
}

func (f *found) Record(ctx context.Context, findings []alert.Finding) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range findings {
		f.all[fmt.Sprintf("%s %s %s %s", x.Detector, x.WindowStart.Format(time.DateTime), x.Rule, x.ID)] = x
	}
	if f.store == nil {
		return nil
	}
	return f.store.InsertFindings(ctx, findings, time.Now())
}

// backtest runs detectors over [from, to) in pieces and gives what was found in windows
// that end after e.from.
func (e *equality) backtest(store *storage.Store, which func(detect.Detector) bool, from time.Time, piece time.Duration, parallel int) map[string]alert.Finding {
	e.t.Helper()
	result := &found{all: map[string]alert.Finding{}}
	test := detect.Backtest{
		Detectors: slices.DeleteFunc(e.detectors(), func(d detect.Detector) bool { return !which(d) }),
		History:   detect.NewStored(store), Window: e.cfg.Detect.Window, Parallel: parallel, Hold: e.hold(),
	}
	for w := range detect.Windows(from, e.to, piece) {
		all, err := test.Run(e.t.Context(), w.Start, w.End)
		if err != nil {
			e.t.Fatal(err)
		}
		all = slices.DeleteFunc(all, func(f alert.Finding) bool { return !f.WindowEnd.After(e.from) })
		if err := result.Record(e.t.Context(), all); err != nil {
			e.t.Fatal(err)
		}
	}
	return result.all
}

// begin makes the history before e.from and lets detection go on from there.
func (e *equality) begin(store *storage.Store) {
	e.t.Helper()
	ctx := e.t.Context()
	all := []error{detect.Rebuild(ctx, store, e.start, e.from, nil), store.SaveProgress(ctx, "sessions", e.from)}
	for _, d := range e.detectors() {
		all = append(all, store.SaveProgress(ctx, d.Name(), e.from.Truncate(max(d.Every(), detect.Pane))))
	}
	if err := errors.Join(all...); err != nil {
		e.t.Fatal(err)
	}
}

// step lets new engines, which have no memory, detect what is complete by mark.
func (e *equality) step(store detect.Store, r detect.Recorder, mark time.Time, engines int) {
	e.t.Helper()
	var group sync.WaitGroup
	for range engines {
		group.Go(func() {
			engine, err := detect.New(e.cfg.Detect.Config, e.detectors(), store, r, func() time.Time { return mark }, testkit.Logger(e.t), prometheus.NewRegistry())
			if err == nil {
				engine.Hold = e.hold()
				err = engine.Step(e.t.Context())
			}
			if err != nil {
				e.t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestLiveAndBacktestRaiseTheSame lets all detectors look at the same flows: as they
// arrive, with a restart at every step, with two engines at once and after a crash that
// forgets how far each had come; and when all is stored, in one run and in pieces.
func TestLiveAndBacktestRaiseTheSame(t *testing.T) {
	e := newEquality(t)
	stored := testkit.Store(t)
	e.feed(stored, []time.Time{e.to}, func(time.Time) {})
	if err := detect.Rebuild(t.Context(), stored, e.start, e.to.Add(30*time.Minute), nil); err != nil {
		t.Fatal(err)
	}
	whole := func(detect.Detector) bool { return true }
	want := e.backtest(stored, whole, e.midnight.Add(-24*time.Hour), 48*time.Hour, 2)
	detectors := map[string]int{}
	for _, f := range want {
		detectors[f.Detector]++
	}
	t.Logf("%d findings: %v", len(want), detectors)
	if len(detectors) < 5 {
		t.Errorf("only %v found something", detectors)
	}
	upToAnHour := func(d detect.Detector) bool { return d.Every() <= time.Hour }
	pieces := map[string]alert.Finding{}
	for k, f := range want {
		if upToAnHour(e.named(f.Detector)) {
			pieces[k] = f
		}
	}
	e.same("backtest in pieces", pieces, e.backtest(stored, upToAnHour, e.from, time.Hour, 1))

	live := testkit.Store(t)
	got := &found{all: map[string]alert.Finding{}, store: live}
	marks := []time.Time{e.from}
	for d := 7 * time.Minute; ; d += 13*time.Minute + 1234*time.Millisecond {
		if mark := e.from.Add(d); mark.Before(e.to) {
			marks = append(marks, mark)
			continue
		}
		marks = append(marks, e.to)
		break
	}
	n := 0
	e.feed(live, marks, func(mark time.Time) {
		if n++; n == 1 {
			e.begin(live)
			return
		}
		if n == 4 {
			for _, d := range e.detectors() {
				if err := live.RewindProgress(t.Context(), d.Name(), e.from.Truncate(max(d.Every(), detect.Pane))); err != nil {
					t.Fatal(err)
				}
			}
		}
		e.step(live, got, mark, 1+n%2)
	})
	e.same("live", want, got.all)
	e.sameAlerts(live, want)
}

func (e *equality) named(name string) detect.Detector {
	for _, d := range e.detectors() {
		if d.Name() == name {
			return d
		}
	}
	e.t.Fatalf("there is no detector %s", name)
	return nil
}

// same compares findings, those of which are missing first.
func (e *equality) same(how string, want, got map[string]alert.Finding) {
	e.t.Helper()
	var missing, more []string
	for k := range want {
		if _, ok := got[k]; !ok {
			missing = append(missing, k+" "+want[k].Title)
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			more = append(more, k+" "+got[k].Title)
		}
	}
	slices.Sort(missing)
	slices.Sort(more)
	if len(missing)+len(more) > 0 {
		e.t.Errorf("%s: of the backtest's findings are missing:\n%s\nand these are more:\n%s", how, strings.Join(missing, "\n"), strings.Join(more, "\n"))
	}
	for k, w := range want {
		if g, ok := got[k]; ok {
			if diff := cmp.Diff(w, g, compareFindings); diff != "" {
				e.t.Errorf("%s: %s (-backtest +%s):\n%s", how, k, how, diff)
			}
		}
	}
}

var compareFindings = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

// sameAlerts holds the view alerts of the store against the findings folded in memory.
func (e *equality) sameAlerts(store *storage.Store, findings map[string]alert.Finding) {
	e.t.Helper()
	stored, err := store.Alerts(e.t.Context(), alert.Query{Limit: 1_000_000})
	if err != nil {
		e.t.Fatal(err)
	}
	var all []alert.Finding
	for _, f := range findings {
		all = append(all, f)
	}
	folded := alert.FoldFindings(all)
	byID := func(a, b alert.Alert) int { return strings.Compare(a.ID, b.ID) }
	slices.SortFunc(folded, byID)
	slices.SortFunc(stored, byID)
	// When it was stored is of the store alone.
	ignored := cmp.Options{cmpopts.IgnoreFields(alert.Alert{}, "RaisedAt", "UpdatedAt", "Version"), cmpopts.IgnoreFields(alert.Finding{}, "Sightings")}
	if diff := cmp.Diff(folded, stored, compareFindings, ignored); diff != "" {
		e.t.Errorf("alerts (-folded findings of the backtest +stored):\n%s", diff)
	}
}
