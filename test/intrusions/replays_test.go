package intrusions

import (
	"cmp"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/internal/app"
	"tapwatch/internal/captures"
	"tapwatch/internal/testkit"
)

// play is how a recording is played, and what ought to come of it.
type play struct {
	// dateless says that the recording counts its time from zero.
	dateless bool
	want     []want
	// others are what else may be raised, by severity, detector and rule: how many alerts
	// at most. docs/intrusions.md explains each.
	others map[string]int
}

// want is an alert that must be raised.
type want struct {
	detector, rule string
	// asset and peer are the ends it names; empty: any.
	asset, peer string
	// label is that of the flows it is about: the first of them that its asset has part in
	// starts the clock.
	label string
	// within is how soon it must be raised, in stream time.
	within time.Duration
	// least is the severity it has at least.
	least alert.Severity
}

// TestReplays plays each labelled recording through replay and backtest, with an
// inventory that protects the victims and no history.
func TestReplays(t *testing.T) {
	all := captures.Labelled(t)
	there := map[string]bool{}
	for _, c := range all {
		name := filepath.Base(c.Name)
		there[name] = true
		t.Run(name, func(t *testing.T) {
			p, known := plays[name]
			if !known {
				t.Fatal("nobody has said what ought to be found in it")
			}
			p.check(t, name, c.Path)
		})
	}
	for name := range plays {
		if len(all) > 0 && !there[name] {
			t.Errorf("there is no recording %s", name)
		}
	}
}

// check plays one recording and compares what is raised.
func (p *play) check(t *testing.T, name, capture string) {
	labelled := labels(t, filepath.Join(filepath.Dir(capture), "flows.csv.gz"))
	shift := time.Duration(0)
	if p.dateless {
		shift = time.Duration(dateless.Unix()) * time.Second
		capture = forward(t, capture, shift)
	}
	raised, days := backtest(t, capture, filepath.Join("testdata", name+".yaml"))
	found := make([]bool, len(p.want))
	others := map[string]int{}
	for i := range raised {
		a := &raised[i]
		k := p.wanted(a)
		if k < 0 || found[k] {
			kind := a.Severity.String() + " " + a.Detector + "/" + a.Rule
			others[kind]++
			t.Logf("| raised as well | %s | %s |", kind, a.Title)
			continue
		}
		found[k] = true
		w := &p.want[k]
		begin, is := labelled[labelOf{w.label, a.Asset.Addr.String()}]
		if !is {
			t.Fatalf("no flow of %s is labelled %q", a.Asset.Addr, w.label)
		}
		after := a.RaisedAt.Sub(begin.Add(shift)).Round(time.Second)
		t.Logf("| found | %s %s/%s after %v | %s |", a.Severity, a.Detector, a.Rule, after, a.Title)
		if after > w.within || a.Severity < w.least {
			t.Errorf("%q was raised after %v as %v, want it within %v and %v at least", a.Title, after, a.Severity, w.within, w.least)
		}
	}
	for k := range p.want {
		if !found[k] {
			t.Errorf("not found: %+v", p.want[k])
		}
	}
	for kind, n := range others {
		if n > p.others[kind] {
			t.Errorf("%d alerts of kind %s beside those that were wanted, at most %d are explained", n, kind, p.others[kind])
		}
	}
	t.Logf("%d alerts in %.2f days", len(raised), days)
}

// wanted is which of the wanted alerts it is; -1 none.
func (p *play) wanted(a *alert.Alert) int {
	for i := range p.want {
		w := &p.want[i]
		if a.Detector == w.detector && a.Rule == w.rule && is(&a.Asset, w.asset) && is(&a.Peer, w.peer) {
			return i
		}
	}
	return -1
}

func is(p *alert.Party, addr string) bool { return addr == "" || p.Addr.String() == addr }

// backtest stores the recording and returns what all detectors raise over it, in that
// order, and how many days it lasts.
func backtest(t *testing.T, capture, inventory string) (raised []alert.Alert, days float64) {
	t.Helper()
	db := &app.Database{Store: testkit.Store(t)}
	cfg := app.DefaultConfig()
	cfg.Inventory = inventory
	// Instant detectors look at ten seconds in one go instead of two: most of the five days
	// that are played hold nothing.
	cfg.Detect.Window = 10 * time.Second
	if _, err := app.Replay(t.Context(), cfg, db, []string{capture}, nil, testkit.Logger(t)); err != nil {
		t.Fatal(err)
	}
	from, to, err := app.Period(t.Context(), db)
	if err != nil || from.IsZero() {
		t.Fatalf("nothing is stored of protected systems: %v", err)
	}
	raised, err = app.Backtest(t.Context(), db, cfg.Rules(), from.Truncate(time.Hour), to.Truncate(time.Hour).Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(raised, func(a, b alert.Alert) int { return cmp.Or(a.RaisedAt.Compare(b.RaisedAt), cmp.Compare(a.ID, b.ID)) })
	return raised, to.Sub(from).Hours() / 24
}
