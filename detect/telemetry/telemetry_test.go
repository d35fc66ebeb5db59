package telemetry_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(40 * minute),
		Allowed: func(s *detecttest.Stage) {
			s.Flows(steady(pe1, 0, 40*minute)...)
			s.Flows(steady(p1, 0, 40*minute)...)
		},
		Suspicious: func(s *detecttest.Stage) {
			s.Flows(steady(pe1, 0, 10*minute)...)
			s.Flows(watches(pe1, minute))
			s.Flows(steady(p1, 0, 25*minute)...)
			s.Flows(steady(fresh, 0, 10*minute)...)
			for d := time.Duration(0); d < 40*minute; d += minute {
				s.Health(at(d), p1)
			}
		},
	})
}

// alerted is a finding as the scenarios tell it.
type alerted struct {
	At       string
	Severity alert.Severity
	Title    string
}

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
		{"one of two falls silent", [][]flow{steady(pe1, 0, 20*minute), steady(p1, 0, 60*minute)}, none, 60 * minute,
			[]alerted{{"10:25", alert.Medium, pe1Silent}}},
		{"one that sees protected systems", [][]flow{steady(pe1, 0, 20*minute), {watches(pe1, minute)}, steady(p1, 0, 60*minute)}, none, 60 * minute,
			[]alerted{{"10:25", alert.Critical, pe1Silent}}},
		{"it comes back in time", [][]flow{steady(pe1, 0, 20*minute), steady(pe1, 24*minute, 60*minute), steady(p1, 0, 60*minute)}, none, 60 * minute, nil},
		{"an outage of three hours", [][]flow{steady(pe1, 0, 20*minute), steady(p1, 0, 200*minute)}, none, 200 * minute,
			[]alerted{{"10:25", alert.Medium, pe1Silent}, {"11:25", alert.Medium, pe1Silent}, {"12:25", alert.Medium, pe1Silent}}},
		{"it pauses by habit", [][]flow{sends(pe1, 0, 240*minute, 4*minute), steady(p1, 0, 252*minute)}, none, 247 * minute, nil},
		{"longer than its habit", [][]flow{sends(pe1, 0, 240*minute, 4*minute), steady(p1, 0, 252*minute)}, none, 252 * minute,
			[]alerted{{"14:08", alert.Medium, "pe1.east (10.30.0.1) stopped sending flows at 2026-11-18 13:56:00 UTC"}}},
		{"it was hardly heard before", [][]flow{steady(pe1, 15*minute, 18*minute), steady(p1, 0, 60*minute)}, none, 60 * minute, nil},
		{"under maintenance, and after it", [][]flow{steady(pe2, 0, 70*minute), steady(p1, 0, 125*minute)}, none, 125 * minute,
			[]alerted{{"12:00", alert.Medium, "pe2.east (10.30.0.2) stopped sending flows at 2026-11-18 11:09:50 UTC"}}},
		{"not listed in the inventory", [][]flow{steady(fresh, 0, 20*minute), steady(p1, 0, 30*minute)}, none, 30 * minute,
			[]alerted{{"10:25", alert.Medium, "10.30.0.9 stopped sending flows at 2026-11-18 10:19:50 UTC"}}},
		{"all fall silent, the collector lives", [][]flow{steady(pe1, 0, 20*minute), steady(p1, 0, 20*minute)}, health(0, 60*minute), 60 * minute,
			[]alerted{{"10:27", alert.Critical, "No router has sent flows since 2026-11-18 10:19:50 UTC"}}},
		{"the collector goes down", [][]flow{steady(pe1, 0, 20*minute), steady(p1, 0, 20*minute)}, health(0, 20*minute), 60 * minute, nil},
		{"the collector was down, and one comes back late", [][]flow{steady(pe1, 0, 20*minute), steady(p1, 0, 20*minute),
			steady(p1, 40*minute, 60*minute), steady(pe1, 43*minute, 60*minute)}, none, 60 * minute, nil},
		{"the collector was down, and one never comes back", [][]flow{steady(pe1, 0, 20*minute), steady(p1, 0, 20*minute),
			steady(p1, 40*minute, 60*minute)}, none, 60 * minute, []alerted{{"10:45", alert.Medium, pe1Silent}}},
		{"old captures are replayed", [][]flow{steady(pe1, 0, 20*minute), sends(fresh, -4000*time.Hour, -4000*time.Hour+20*minute, 10*time.Second)}, none, 20 * minute, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := open(t)
			for _, f := range c.flows {
				stage.Flows(f...)
			}
			c.more(stage)
			var got []alerted
			ids := map[string]bool{}
			for _, f := range stage.Detect(detector(t), at(0), at(c.to)) {
				got = append(got, alerted{f.WindowEnd.Format("15:04"), f.Severity, f.Title})
				ids[f.ID] = true
				if stage.Rows(f.SQL) == 0 {
					t.Errorf("the query returns nothing:\n%s", f.SQL)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			if len(got) > 0 && len(ids) != 1 {
				t.Errorf("%d identities for one outage", len(ids))
			}
		})
	}
}

// counting counts the queries of a history.
type counting struct {
	detect.History
	queries int
}

func (c *counting) Select(ctx context.Context, dest any, query string, args ...any) error {
	c.queries++
	return c.History.Select(ctx, dest, query, args...)
}

// TestManyFallSilent holds that the number of queries does not grow with the number
// of quiet exporters, whether they are reported or were hardly heard before, and
// that each is still judged by its own history.
func TestManyFallSilent(t *testing.T) {
	stage := open(t)
	flows := steady(p1, 0, 30*minute)
	const routers, strays = 60, 100
	for i := range routers {
		router := fmt.Sprintf("10.31.0.%d", i)
		flows = append(flows, steady(router, 0, 20*minute-time.Duration(i%5)*10*time.Second)...)
		if i%2 == 0 {
			flows = append(flows, watches(router, minute), watches(router, 2*minute))
		}
	}
	for i := range strays {
		flows = append(flows, sends(fmt.Sprintf("10.32.0.%d", i), 19*minute, 20*minute, 10*time.Second)...)
	}
	stage.Flows(flows...)
	history := &counting{History: stage.Store()}
	window := detect.Window{Start: at(24*minute + 50*time.Second), End: at(25 * minute)}
	found, err := detector(t).Detect(t.Context(), window, history)
	if err != nil {
		t.Fatal(err)
	}
	// All were last heard in the same minute, five minutes and more before.
	if history.queries > 4 {
		t.Errorf("%d queries", history.queries)
	}
	bySeverity := map[alert.Severity]int{}
	for _, f := range found {
		bySeverity[f.Severity]++
	}
	if diff := cmp.Diff(map[alert.Severity]int{alert.Critical: routers / 2, alert.Medium: routers / 2}, bySeverity); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestConfig(t *testing.T) {
	good := telemetry.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := telemetry.Config{Silence: time.Second, Gaps: 0.5, History: time.Minute, MinBuckets: 1, Repeat: time.Second}
	want := "silence: 1s does not do: use 2m to 24h\ngaps: 0.5 is below 1\n" +
		"history: 1m0s does not do: use 1h to 720h, and at least twice silence\nmin_buckets: 1 is below 2\nrepeat: 1s is below 1m"
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
