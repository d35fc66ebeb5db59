package telemetry_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/telemetry"
)

const (
	pe1 = "10.30.0.1"
	pe2 = "10.30.0.2" // under maintenance from 11:00 to 12:00
	p1  = "10.30.0.3"
	// fresh is an exporter that the inventory does not list.
	fresh = "10.30.0.9"
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

// sends gives an exporter's flows from one time to another, one every so often.
func sends(exporter string, from, to, every time.Duration) []flow {
	var all []flow
	for d := from; d < to; d += every {
		all = append(all, flow{At: at(d), Exporter: exporter, Src: "100.64.0.1", Dst: "203.0.113.66", SrcPort: 40000, DstPort: 443, Flags: detecttest.Session})
	}
	return all
}

// watches is one flow of a protected system.
func watches(exporter string, d time.Duration) flow {
	return flow{At: at(d), Exporter: exporter, Src: "10.40.2.10", Dst: "10.66.0.30", SrcPort: 40000, DstPort: 8890, Flags: detecttest.Session}
}

func steady(exporter string, from, to time.Duration) []flow {
	return sends(exporter, from, to, 10*time.Second)
}

const minute = time.Minute

// old is how long exporters were heard before a scenario begins.
const old = -70 * minute

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(40 * minute),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(steady(pe1, old, 40*minute)...)
			s.Flows(steady(p1, old, 40*minute)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(steady(pe1, old, 10*minute)...)
			s.Flows(steady(pe1, 30*minute, 40*minute)...)
			s.Flows(watches(pe1, minute), watches(p1, 14*minute), watches(p1, 15*minute))
			s.Flows(steady(p1, old, 35*minute)...)
			s.Flows(steady(fresh, old, 10*minute)...)
			s.Flows(samples(pe2, old, 12*minute, 100)...)
			s.Flows(samples(pe2, 12*minute, 40*minute, 5000)...)
			for d := time.Duration(0); d < 40*minute; d += minute {
				s.Health(at(d), p1)
			}
		},
	})
}

// samples are flows of an exporter with a sampling interval.
func samples(exporter string, from, to time.Duration, interval int) []flow {
	all := steady(exporter, from, to)
	for i := range all {
		all[i].Sampling = interval
	}
	return all
}

// history is the stored past; complete is up to when it can be read ahead, zero not.
type history struct {
	detecttest.Store
	complete time.Time
	queries  int
}

func (*history) Sessions(context.Context, detect.Window) ([]detect.Session, error) { return nil, nil }
func (h *history) Complete() time.Time                                             { return h.complete }
func (h *history) Select(ctx context.Context, dest any, query string, args ...any) error {
	h.queries++
	return h.Store.Select(ctx, dest, query, args...)
}

// run runs a detector over the minutes of [from, to).
func run(t *testing.T, d detect.Detector, h detect.History, from, to time.Time, size time.Duration) (all []alert.Finding) {
	t.Helper()
	for w := range detect.Windows(from, to, size) {
		found, err := d.Detect(t.Context(), w, h)
		if err != nil {
			t.Fatalf("the window from %s: %v", w.Start, err)
		}
		all = append(all, found...)
	}
	return all
}

// alerted is a finding as the scenarios tell it.
type alerted struct {
	At       string
	Severity alert.Severity
	Title    string
}

// check holds the findings of [from, to) against what is wanted.
func check(t *testing.T, stage *detecttest.Stage, from, to time.Time, want []alerted) []alert.Finding {
	t.Helper()
	found := observe(t, stage, from, to)
	compare(t, want, found)
	return found
}

func compare(t *testing.T, want []alerted, found []alert.Finding) {
	t.Helper()
	var got []alerted
	for _, f := range found {
		got = append(got, alerted{f.WindowEnd.Format("15:04"), f.Severity, f.Title})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
		for _, f := range found {
			t.Logf("%s %s\n%s\n%v", f.Rule, f.Title, f.Summary, f.Reasons)
		}
	}
}

// observe gives the findings of [from, to) with the past read ahead, and holds that each
// one's query shows something, that it says how sure it is and by what measures, and
// that a detector that knows nothing of the future finds the same.
func observe(t *testing.T, stage *detecttest.Stage, from, to time.Time) []alert.Finding {
	t.Helper()
	found := run(t, detector(t), &history{Store: stage.Store(), complete: to.Add(24 * time.Hour)}, from, to, minute)
	looked := map[time.Time]bool{to.Add(-2 * minute): true, to.Add(-minute): true}
	for _, f := range found {
		if stage.Rows(f.SQL) == 0 {
			t.Errorf("the query returns nothing:\n%s", f.SQL)
		}
		if f.Confidence <= 0 || f.Confidence > 1 || len(f.Measures) == 0 || len(f.Summary) > 800 || len(f.Title) > 200 {
			t.Errorf("confidence %g, %d measures, a summary of %d bytes, a title of %d: %s", f.Confidence, len(f.Measures), len(f.Summary), len(f.Title), f.Title)
		}
		for _, at := range []time.Time{f.WindowStart.Add(-minute), f.WindowStart, f.WindowEnd} {
			looked[at] = true
		}
	}
	blind, live := detector(t), &history{Store: stage.Store()}
	var want, got []alert.Finding
	for _, at := range slices.SortedFunc(maps.Keys(looked), time.Time.Compare) {
		if at.Before(from) || !at.Before(to) {
			continue
		}
		got = append(got, run(t, blind, live, at, at.Add(minute), minute)...)
		for _, f := range found {
			if f.WindowStart.Equal(at) {
				want = append(want, f)
			}
		}
	}
	if diff := cmp.Diff(got, want, compareAddr); diff != "" {
		t.Errorf("the past read ahead tells something else (-minute by minute +ahead):\n%s", diff)
	}
	return found
}

// once keeps of the findings of one alert and severity the first.
func once(all []alert.Finding) (kept []alert.Finding) {
	seen := map[string]bool{}
	for _, f := range all {
		if key := f.ID + f.Severity.String(); !seen[key] {
			seen[key] = true
			kept = append(kept, f)
		}
	}
	return kept
}

var compareAddr = cmpopts.EquateComparable(netip.Addr{})

func TestScenarios(t *testing.T) {
	health := func(from, to time.Duration) func(*detecttest.Stage) {
		return func(s *detecttest.Stage) {
			for d := from; d < to; d += minute {
				s.Health(at(d), p1)
			}
		}
	}
	pe1Silent := "pe1.east (10.30.0.1) stopped sending flows at 2026-11-18 10:19:50 UTC"
	none := func(*detecttest.Stage) {}
	for _, c := range []struct {
		name  string
		flows [][]flow
		more  func(*detecttest.Stage)
		to    time.Duration
		want  []alerted
	}{
		{"one of two falls silent", [][]flow{steady(pe1, old, 20*minute), steady(p1, old, 50*minute)}, none, 50 * minute,
			[]alerted{{"10:25", alert.Medium, pe1Silent}, {"10:30", alert.Medium, pe1Silent}, {"10:40", alert.Medium, pe1Silent}}},
		{"one that sees protected systems", [][]flow{steady(pe1, old, 20*minute), {watches(pe1, minute)}, steady(p1, old, 26*minute)}, none, 26 * minute,
			[]alerted{{"10:25", alert.High, pe1Silent}}},
		{"neighbours see the router itself", [][]flow{steady(pe1, old, 20*minute), sends(p1, old, 26*minute, 30*time.Second), own(p1, old, 26*minute)}, none, 26 * minute,
			[]alerted{{"10:25", alert.Critical, pe1Silent}}},
		{"neighbours do not see the router itself any more", [][]flow{steady(pe1, old, 20*minute), {watches(pe1, minute)}, steady(p1, old, 26*minute), own(p1, old, 20*minute)}, none, 26 * minute,
			[]alerted{{"10:25", alert.Medium, pe1Silent}}},
		{"what passed it goes on", [][]flow{steady(pe1, old, 20*minute), watching(pe1, old, 20*minute), steady(p1, old, 26*minute), watching(p1, old, 26*minute)}, none, 26 * minute,
			[]alerted{{"10:25", alert.Critical, pe1Silent}}},
		{"what passed it is gone", [][]flow{steady(pe1, old, 20*minute), watching(pe1, old, 20*minute), steady(p1, old, 26*minute), watching(p1, old, 20*minute)}, none, 26 * minute,
			[]alerted{{"10:25", alert.High, pe1Silent}}},
		{"it comes back in time", [][]flow{steady(pe1, old, 20*minute), steady(pe1, 24*minute, 60*minute), steady(p1, old, 60*minute)}, none, 60 * minute, nil},
		{"it comes back late", [][]flow{steady(pe1, old, 20*minute), steady(pe1, 27*minute, 60*minute), steady(p1, old, 60*minute)}, none, 60 * minute,
			[]alerted{{"10:25", alert.Medium, pe1Silent},
				{"10:28", alert.Low, "pe1.east (10.30.0.1) is back since 2026-11-18 10:27:00 UTC: it had sent no flows since 2026-11-18 10:19:50 UTC"}}},
		{"it comes back after a restart", [][]flow{steady(pe1, old, 20*minute), steady(pe1, 27*minute, 60*minute), steady(p1, old, 60*minute)},
			func(s *detecttest.Stage) { count(s, 28*minute, pe1, counts{datagrams: 6, restarts: 1}) }, 60 * minute,
			[]alerted{{"10:25", alert.Medium, pe1Silent},
				{"10:28", alert.Low, "pe1.east (10.30.0.1) is back since 2026-11-18 10:27:00 UTC: it had sent no flows since 2026-11-18 10:19:50 UTC"},
				{"10:31", alert.Low, "pe1.east (10.30.0.1) is back since 2026-11-18 10:27:00 UTC: it had sent no flows since 2026-11-18 10:19:50 UTC"}}},
		{"an outage of two hours", [][]flow{steady(pe1, old, 20*minute), steady(p1, old, 150*minute)}, none, 150 * minute,
			[]alerted{{"12:25", alert.Medium, pe1Silent}}},
		{"it pauses by habit", [][]flow{sends(pe1, 0, 240*minute, 4*minute), steady(p1, 0, 252*minute)}, none, 247 * minute, nil},
		{"longer than its habit", [][]flow{sends(pe1, 0, 240*minute, 4*minute), steady(p1, 0, 252*minute)}, none, 252 * minute,
			[]alerted{{"14:08", alert.Medium, "pe1.east (10.30.0.1) stopped sending flows at 2026-11-18 13:56:00 UTC"}}},
		{"it was hardly heard before", [][]flow{steady(pe1, 15*minute, 18*minute), steady(p1, old, 60*minute)}, none, 60 * minute, nil},
		{"it was heard for less than an hour", [][]flow{steady(pe1, -30*minute, 20*minute), steady(p1, old, 60*minute)}, none, 60 * minute, nil},
		{"under maintenance, and after it", [][]flow{steady(pe2, 0, 70*minute), steady(p1, 0, 125*minute)}, none, 124 * minute,
			[]alerted{{"12:00", alert.Medium, "pe2.east (10.30.0.2) stopped sending flows at 2026-11-18 11:09:50 UTC"}}},
		{"a reboot under maintenance", [][]flow{steady(pe2, old, 70*minute), steady(pe2, 80*minute, 130*minute), steady(p1, old, 130*minute)}, none, 130 * minute, nil},
		{"not listed in the inventory", [][]flow{steady(fresh, old, 20*minute), steady(p1, old, 29*minute)}, none, 29 * minute,
			[]alerted{{"10:25", alert.Medium, "10.30.0.9 stopped sending flows at 2026-11-18 10:19:50 UTC"}}},
		{"all fall silent, the collector lives, and they come back", [][]flow{steady(pe1, old, 20*minute), steady(p1, old, 20*minute), steady(p1, 29*minute, 40*minute), steady(pe1, 29*minute, 40*minute)}, health(0, 40*minute), 40 * minute,
			[]alerted{{"10:27", alert.Critical, "No router has sent flows since 2026-11-18 10:19:50 UTC"},
				{"10:30", alert.Low, "Flows are back since 2026-11-18 10:29:00 UTC: no router had sent any since 2026-11-18 10:19:50 UTC"}}},
		{"the collector goes down", [][]flow{steady(pe1, old, 20*minute), steady(p1, old, 20*minute)}, health(0, 20*minute), 60 * minute, nil},
		{"the collector was down, and one comes back late", [][]flow{steady(pe1, old, 20*minute), steady(p1, old, 20*minute),
			steady(p1, 40*minute, 60*minute), steady(pe1, 43*minute, 60*minute)}, none, 60 * minute, nil},
		{"the collector was down, and one never comes back", [][]flow{steady(pe1, old, 20*minute), steady(p1, old, 20*minute),
			steady(p1, 40*minute, 49*minute)}, none, 49 * minute, []alerted{{"10:45", alert.Medium, pe1Silent}}},
		{"old captures are replayed", [][]flow{steady(pe1, old, 20*minute), sends(fresh, -4000*time.Hour, -4000*time.Hour+20*minute, 10*time.Second)}, none, 20 * minute, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			for _, f := range c.flows {
				stage.Flows(f...)
			}
			c.more(stage)
			found := check(t, stage, at(max(15*minute, c.to-50*minute)), at(c.to), c.want)
			ids := map[string]bool{}
			for _, f := range found {
				ids[f.ID] = true
			}
			if len(found) > 0 && len(ids) != 1 {
				t.Errorf("%d identities for one outage", len(ids))
			}
		})
	}
}

// own are flows of pe1 itself, as another router sees them.
func own(exporter string, from, to time.Duration) (all []flow) {
	for d := from; d < to; d += 30 * time.Second {
		all = append(all, flow{At: at(d), Exporter: exporter, Src: pe1, Dst: p1, SrcPort: 179, DstPort: 40000, Flags: detecttest.Session})
	}
	return all
}

// watching are flows of a protected system, one a minute.
func watching(exporter string, from, to time.Duration) (all []flow) {
	for d := from; d < to; d += minute {
		all = append(all, watches(exporter, d))
	}
	return all
}

// counts are what a collector counted of an exporter in a minute.
type counts struct{ datagrams, lost, records, lostRecords, restarts, queueFull uint64 }

// count stores them, with the time of the minute's end.
func count(s *detecttest.Stage, end time.Duration, exporter string, c counts) {
	err := s.Store().Exec(context.Background(), `INSERT INTO exporter_health (at, collector, exporter, datagrams, lost_datagrams, records, lost_records, restarts, dropped)
		VALUES ({at:DateTime64(3)}, 'test', {exporter:IPv6}, {datagrams:UInt64}, {lost:UInt64}, {records:UInt64}, {lost_records:UInt64}, {restarts:UInt64}, map('queue_full', {full:UInt64}))`,
		detect.Param("at", at(end)), detect.Param("exporter", exporter), detect.Param("datagrams", c.datagrams), detect.Param("lost", c.lost),
		detect.Param("records", c.records), detect.Param("lost_records", c.lostRecords), detect.Param("restarts", c.restarts), detect.Param("full", c.queueFull))
	if err != nil {
		panic(err)
	}
}

// TestManyFallSilent holds that the number of queries does not grow with the number
// of quiet exporters, whether they are reported or were hardly heard before, and
// that each is still judged by its own history.
func TestManyFallSilent(t *testing.T) {
	stage := open(t)
	flows := steady(p1, old, 30*minute)
	const routers, strays = 60, 100
	for i := range routers {
		router := fmt.Sprintf("10.31.0.%d", i)
		flows = append(flows, steady(router, old, 20*minute-time.Duration(i%5)*10*time.Second)...)
		if i%2 == 0 {
			flows = append(flows, watches(router, minute), watches(router, 2*minute))
		}
	}
	for i := range strays {
		flows = append(flows, sends(fmt.Sprintf("10.32.0.%d", i), 19*minute, 20*minute, 10*time.Second)...)
	}
	stage.Flows(flows...)
	history := &history{Store: stage.Store()}
	window := detect.Window{Start: at(24*minute + 50*time.Second), End: at(25 * minute)}
	found, err := detector(t).Detect(t.Context(), window, history)
	if err != nil {
		t.Fatal(err)
	}
	// All were last heard in the same minute, five minutes and more before.
	if history.queries > 9 {
		t.Errorf("%d queries", history.queries)
	}
	bySeverity := map[alert.Severity]int{}
	for _, f := range found {
		bySeverity[f.Severity]++
	}
	if diff := cmp.Diff(map[alert.Severity]int{alert.High: routers / 2, alert.Medium: routers / 2}, bySeverity); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// TestSplits holds that findings do not depend on where windows begin and end, nor on
// which came before.
func TestSplits(t *testing.T) {
	stage := open(t)
	stage.Flows(steady(pe1, old, 20*minute)...)
	stage.Flows(steady(pe1, 28*minute, 40*minute)...)
	stage.Flows(samples(p1, old, 30*minute, 100)...)
	stage.Flows(samples(p1, 30*minute, 40*minute, 1000)...)
	type told struct{ ID, Title string }
	tell := func(size, offset time.Duration) (all []told) {
		d, h := detector(t), &history{Store: stage.Store(), complete: at(40 * minute)}
		seen := map[told]bool{}
		for _, f := range append(run(t, d, h, at(15*minute), at(15*minute+offset), size), run(t, d, h, at(15*minute+offset), at(40*minute), size)...) {
			if one := (told{f.ID, f.Title}); !seen[one] {
				seen[one] = true
				all = append(all, one)
			}
		}
		return all
	}
	want := tell(minute, 0)
	if len(want) != 3 {
		t.Fatalf("%d findings, want one silence, one return, one change: %v", len(want), want)
	}
	for _, size := range []time.Duration{10 * time.Second, 30 * time.Second, minute} {
		for _, offset := range []time.Duration{0, 7 * time.Second, 10*minute + 30*time.Second} {
			if diff := cmp.Diff(want, tell(size, offset)); diff != "" {
				t.Errorf("windows of %s, cut after %s (-minutes +these):\n%s", size, offset, diff)
			}
		}
	}
}

func TestConfig(t *testing.T) {
	good := telemetry.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := telemetry.Config{Silence: time.Second, Gaps: 0.5, History: time.Minute, Habits: time.Hour, MinBuckets: 1, MinAge: time.Hour, Expected: 1, Loss: 1, Repeat: time.Second}
	want := "silence: 1s does not do: use 2m to 24h\ngaps: 0.5 is below 1\n" +
		"history: 1m0s does not do: use 1h to 720h, and at least twice silence\nhabits: 1h0m0s does not do: use whole days, 48h to 672h\n" +
		"min_buckets: 1 is below 2\nmin_age: 1h0m0s does not do: use 0s up to history\nexpected: 1 is below 5\n" +
		"loss: 1 does not do: use a share above 0 and below 1\nrepeat: 1s is below 1m"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
