package beacon

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// inEachHour calls at some moments of each of its own hours, for a week.
func inEachHour(r *rand.Rand, least, most int) []time.Time {
	var calls []time.Time
	start := epoch.Add(time.Duration(r.Int64N(int64(time.Hour))))
	for h := range 168 {
		for range least + r.IntN(most-least+1) {
			calls = append(calls, start.Add(time.Duration(h)*time.Hour+time.Duration(r.Int64N(int64(time.Hour)))))
		}
	}
	slices.SortFunc(calls, time.Time.Compare)
	return calls
}

// TestCoverage holds what the README says of calls in every hour.
func TestCoverage(t *testing.T) {
	cfg := DefaultConfig()
	r := draws(77)
	end := epoch.Add(169 * time.Hour)
	alarms := func(c coverage) bool {
		return c.LogP < math.Log(1e-5) && c.Hours >= cfg.CoverageHours && c.Variation <= cfg.CoverageVariation
	}
	for _, c := range []struct{ least, most int }{{1, 1}, {1, 3}, {2, 4}, {5, 8}} {
		found := 0
		for range 100 {
			if alarms(cover(inEachHour(r, c.least, c.most), end, cfg.CoverageHours)) {
				found++
			}
		}
		if found < 100 {
			t.Errorf("%d to %d calls in each hour: %d of 100 found", c.least, c.most, found)
		}
	}
	for _, rate := range []float64{1, 2, 5, 10} {
		for range 200 {
			var calls []time.Time
			for at := 0.0; at < 168; at += r.ExpFloat64() / rate {
				calls = append(calls, epoch.Add(seconds(3600*at)))
			}
			if c := cover(calls, end, cfg.CoverageHours); alarms(c) {
				t.Errorf("Poisson, %g calls an hour: ln p %.1f", rate, c.LogP)
			}
		}
	}
	if c := cover(inEachHour(r, 1, 3)[:200], epoch.Add(100*time.Hour), cfg.CoverageHours); c.Of != 0 {
		t.Errorf("four days say that %d of %d hours had a call", c.Hours, c.Of)
	}
}
