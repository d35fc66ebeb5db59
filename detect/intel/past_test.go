package intel_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/intel"
	tapflow "tapwatch/flow"
)

// learn tells the store what the lists of the indicators, and late, hold at that time.
func learn(t *testing.T, s *detecttest.Stage, d time.Duration, held ...tapflow.Indicator) (learned int) {
	t.Helper()
	memory := s.Store().(interface {
		LearnIndicators(ctx context.Context, lists []string, held []tapflow.Indicator, at time.Time) (int, int, error)
	})
	lists := []string{"late"}
	for _, i := range held {
		lists = append(lists, i.List)
	}
	learned, _, err := memory.LearnIndicators(t.Context(), lists, held, at(d))
	if err != nil {
		t.Fatal(err)
	}
	return learned
}

func late(prefix string) tapflow.Indicator {
	return tapflow.Indicator{List: "late", Prefix: netip.MustParsePrefix(prefix), Description: "a relay", Actor: "Salt Typhoon", Confidence: 90}
}

// earlier moves flows back.
func earlier(d time.Duration, flows ...flow) []flow {
	for i := range flows {
		flows[i] = flows[i].Later(-d)
	}
	return flows
}

// past are flows of the hours before with addresses that no list names yet.
func past(s *detecttest.Stage) {
	s.Flows(earlier(3*time.Hour, session(hss, clean, 443, 2_000_000, 80_000)...)...)
	s.Flows(earlier(2*time.Hour, session(hss, clean, 443, 1_000_000, 80_000)...)...)
	s.Flows(earlier(150*time.Minute, session(clean, mdf3, 22, 1000, 9000)...)...)
	s.Flows(earlier(140*time.Minute, syn("203.0.113.67", hss, 22))...)                     // a probe
	s.Flows(earlier(130*time.Minute, session(hss, "203.0.113.99", 443, 1000, 9000)...)...) // of no entry
}

var pastTitles = []string{
	"critical: In the past: 203.0.113.66 (RU, AS64500 Example Hosting) opened SSH (tcp/22) to mdf3-1, a delivery function for intercepted content (MDF3) in li-east; 203.0.113.66 is on intelligence list late",
	"critical: In the past: hss-1 of core-east opened HTTPS (tcp/443) to 203.0.113.66 (RU, AS64500 Example Hosting); 203.0.113.66 is on intelligence list late",
}

func TestPastConformance(t *testing.T) {
	detecttest.Run(t, detecttest.Suite{
		New:  detector,
		Open: open,
		From: at(0), To: at(5 * time.Minute),
		Allowed: func(s *detecttest.Stage) {
			past(s)
			learn(t, s, 30*second, late("203.0.113.128/25"))
		},
		Suspicious: func(s *detecttest.Stage) {
			past(s)
			learn(t, s, 30*second, late("203.0.113.64/29"), late("192.0.2.0/24"))
		},
	})
}

func TestPast(t *testing.T) {
	stage := open(t)
	past(stage)
	if n := learn(t, stage, 30*second, late("203.0.113.64/29"), late("192.0.2.0/24")); n != 2 {
		t.Fatalf("%d learned", n)
	}
	d := detector(t)
	found := stage.Detect(d, at(0), at(10*time.Minute))
	if diff := cmp.Diff(pastTitles, detecttest.Titles(found)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range found {
		if !f.WindowEnd.Equal(at(5*time.Minute)) || f.Rule != "listed-past" || f.LastSeen.After(at(0)) {
			t.Errorf("%s: window to %s, rule %s, seen to %s", f.Title, f.WindowEnd, f.Rule, f.LastSeen)
		}
		if rows := stage.Rows(f.SQL); rows != f.Flows {
			t.Errorf("%s: %d flows, its query returns %d", f.Title, f.Flows, rows)
		}
	}
	i := slices.IndexFunc(found, func(f alert.Finding) bool { return f.Asset.Asset == "hss-1" })
	f := found[i]
	if f.BytesToPeer != 3_000_000 || f.BytesToAsset != 160_000 || f.Flows != 4 || !f.FirstSeen.Equal(at(5*second-3*time.Hour)) || !f.LastSeen.Equal(at(5*second-2*time.Hour)) {
		t.Errorf("amounts: %d out, %d in, %d flows, from %s to %s", f.BytesToPeer, f.BytesToAsset, f.Flows, f.FirstSeen, f.LastSeen)
	}
	for _, want := range []string{"This is a match in the past", "since 2026-11-18 10:00:30 UTC"} {
		if !strings.Contains(f.Summary, want) {
			t.Errorf("the summary lacks %q: %s", want, f.Summary)
		}
	}
	if want := `the list says of it: "a relay", of Salt Typhoon, with a confidence of 90 of 100`; !slices.Contains(f.Reasons, want) {
		t.Errorf("reasons %q lack %q", f.Reasons, want)
	}

	// However windows are cut, the same is found.
	whole := stage.Window(d, detect.Window{Start: at(0), End: at(10 * time.Minute)})
	if diff := cmp.Diff(pastTitles, detecttest.Titles(whole)); diff != "" {
		t.Errorf("in one window (-want +got):\n%s", diff)
	}
	// The same list again teaches nothing.
	if n := learn(t, stage, 6*time.Minute, late("203.0.113.64/29"), late("192.0.2.0/24")); n != 0 {
		t.Errorf("the same list again: %d learned", n)
	}
	// Gone, and back again later: only what was between is matched.
	learn(t, stage, 7*time.Minute, late("192.0.2.0/24"))
	stage.Flows(earlier(-8*time.Minute, session("10.40.9.9", clean, 443, 1000, 9000)...)...)
	learn(t, stage, 12*time.Minute, late("203.0.113.64/29"), late("192.0.2.0/24"))
	again := stage.Detect(d, at(5*time.Minute), at(15*time.Minute))
	want := []string{"critical: In the past: 10.40.9.9 of core-east opened HTTPS (tcp/443) to 203.0.113.66 (RU, AS64500 Example Hosting); 203.0.113.66 is on intelligence list late"}
	if diff := cmp.Diff(want, detecttest.Titles(again)); diff != "" {
		t.Errorf("after it came back (-want +got):\n%s", diff)
	}
}

// TestNotOfThePast are lists that arrive and match nothing that was not known.
func TestNotOfThePast(t *testing.T) {
	ended, coming := late("203.0.113.64/29"), late("203.0.113.64/29")
	ended.ValidUntil = at(-4 * time.Hour)
	coming.ValidFrom = at(-time.Hour)
	marked := tapflow.Indicator{List: "apt", Prefix: netip.MustParsePrefix("198.51.100.0/28")}
	short, off := intel.DefaultConfig(), intel.DefaultConfig()
	short.Lookback, off.Lookback = time.Hour, 0
	stage := open(t)
	past(stage)
	stage.Flows(earlier(160*time.Minute, session(hss, listed, 443, 1000, 9000)...)...)
	for i, c := range []struct {
		name string
		cfg  intel.Config
		held tapflow.Indicator
	}{
		{"no longer valid then", intel.DefaultConfig(), ended},
		{"not valid yet then", intel.DefaultConfig(), coming},
		{"marked as it came in", intel.DefaultConfig(), marked},
		{"longer ago than the lookback", short, late("203.0.113.64/29")},
		{"without lookback", off, late("203.0.113.64/29")},
	} {
		t.Run(c.name, func(t *testing.T) {
			round := time.Duration(i) * 5 * time.Minute // each in a round of its own, as a list of its own
			if c.held.List == "late" {
				c.held.List = fmt.Sprint("late", i)
			}
			if n := learn(t, stage, round+30*second, c.held); n != 1 {
				t.Fatalf("%d learned", n)
			}
			d := intel.New(c.cfg, detecttest.Inventory(t, detecttest.Operator))
			if found := stage.Detect(d, at(round+4*time.Minute), at(round+5*time.Minute)); len(found) > 0 {
				t.Errorf("found %q", detecttest.Titles(found))
			}
		})
	}
}

// TestConfidence holds that what the list says of an entry, as of then, is told and
// grades the finding.
func TestConfidence(t *testing.T) {
	stage := open(t)
	stage.Flows(session(listed, hss, 22, 12000, 80000)...)
	unsure := tapflow.Indicator{List: "apt", Prefix: netip.MustParsePrefix("198.51.100.0/28"), Confidence: 20, Description: "seen once"}
	learn(t, stage, -time.Hour, unsure)
	unsure.Confidence = 95
	learn(t, stage, time.Hour, unsure) // later: not known then
	found := stage.Detect(detector(t), at(0), at(10*second))
	if len(found) != 1 || found[0].Severity != alert.Medium || found[0].Confidence != 0.2 {
		t.Fatalf("found %q, %+v", detecttest.Titles(found), found)
	}
	if want := `the list says of it: "seen once", with a confidence of 20 of 100`; found[0].Reasons[1] != want {
		t.Errorf("reasons %q lack %q", found[0].Reasons, want)
	}
}

// TestReady counts the indicators that are valid at a moment.
func TestReady(t *testing.T) {
	stage := open(t)
	ended := late("192.0.2.0/24")
	ended.ValidUntil = at(time.Hour)
	learn(t, stage, 0, late("203.0.113.64/29"), ended)
	learn(t, stage, 2*time.Hour, ended)
	learner := detector(t).(detect.Learner)
	for d, want := range map[time.Duration]float64{-time.Hour: 0, time.Minute: 2, 90 * time.Minute: 1, 3 * time.Hour: 0} {
		ready, err := learner.Ready(t.Context(), at(d), stage.History())
		if err != nil || len(ready) != 1 || ready[0].Have != want || ready[0].Text == "" {
			t.Errorf("after %s: %+v, %v; want %v", d, ready, err, want)
		}
	}
}
