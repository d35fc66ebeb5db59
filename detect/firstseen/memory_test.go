package firstseen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/firstseen"
)

// texts are what findings say, with all that was counted for them.
func texts(findings []alert.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, fmt.Sprint(f.ID, f.Severity, f.Confidence, f.Title, f.Summary, f.Reasons, f.Measures))
	}
	return all
}

// TestMemory: a detector that has seen other windows finds in each what one finds that
// has seen none, in whatever order they come.
func TestMemory(t *testing.T) {
	cfg := firstseen.DefaultConfig()
	cfg.History, cfg.WarmUp = 9*day, 7*day
	const later = 12 * 24
	stage := open(t)
	habits(t, stage)
	var flows []flow
	for _, some := range [][]flow{
		talk(0, "10.41.1.5", "10.40.1.3", 22),
		talk(1, "10.41.1.5", "10.40.1.3", 22),            // known by then
		talk(2, "10.40.1.2", "198.51.100.13", 443),       // a network
		talk(30, "10.41.2.5", "10.40.1.2", 443),          // more than a day later
		talk(later, "10.41.1.5", "10.40.1.3", 22),        // unknown again after nine days
		talk(later+4, "10.40.1.2", "198.51.100.13", 443), // as is the network
	} {
		flows = append(flows, some...)
	}
	for days := range 12 { // the zones go on
		flows = append(flows, talk(24*days, "10.20.0.5", "10.40.1.1", 22)...)
	}
	stage.Flows(flows...)
	inv := detecttest.Inventory(t, carrier)
	window := func(d detect.Detector, hour int) []string {
		from := detecttest.At(time.Duration(hour) * time.Hour)
		return texts(stage.Window(d, detect.Window{Start: from, End: from.Add(time.Hour)}))
	}
	want := map[int][]string{}
	for _, hour := range []int{0, 1, 2, 3, 30, later, later + 4, -10 * 24, 60 * 24} {
		want[hour] = window(firstseen.New(cfg, inv), hour)
	}
	for hour, found := range map[int]int{0: 1, 1: 0, 2: 1, 30: 1, later: 1, later + 4: 1} {
		if len(want[hour]) != found {
			t.Errorf("hour %d: %d findings, want %d: %q", hour, len(want[hour]), found, want[hour])
		}
	}
	d := firstseen.New(cfg, inv)
	for _, hour := range []int{
		0, 1, 2, 3, 30, later, later + 4, // on and on
		later + 4, later, 30, 3, 2, 2, 1, 0, // back again
		-10 * 24, 3, 60 * 24, 0, 30, // to and fro
	} {
		if diff := cmp.Diff(want[hour], window(d, hour)); diff != "" {
			t.Errorf("hour %d (-a fresh detector +this one):\n%s", hour, diff)
		}
	}
	other := open(t) // another history, in which nothing happened
	if got := other.Window(d, detect.Window{Start: detecttest.At(0), End: detecttest.At(time.Hour)}); len(got) > 0 {
		t.Errorf("of another history it says %q", detecttest.Titles(got))
	}
}
