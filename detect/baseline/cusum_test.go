package baseline_test

import (
	"math/rand/v2"
	"testing"

	"tapwatch/detect/baseline"
)

// TestRunLength holds Siegmund's formula against simulation.
func TestRunLength(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 9))
	for _, h := range []float64{3, 4, 5} {
		const alarms = 3000
		steps := 0
		for range alarms {
			for c := (baseline.CUSUM{K: 0.5}); c.Step(random.NormFloat64()) < h; {
				steps++
			}
			steps++
		}
		got, want := float64(steps)/alarms, baseline.RunLength(h, 0.5)
		t.Logf("h=%g: %.0f simulated, %.0f by the formula", h, got, want)
		if !near(got, want, 0.08) {
			t.Errorf("h=%g: %.0f steps between alarms, the formula says %.0f", h, got, want)
		}
	}
}

func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		keys          int
		perDay, false float64
		low, high     float64
	}{
		{10_000, 1, 0.5, 7.9, 8.1},   // detectors.md: h = 8 → 0.5 a day
		{10_000, 24, 1.7, 9.9, 10.1}, // h ≈ 10 for 240,000 tests a day
		{0, 1, 1, 1, 1},
	} {
		h := baseline.Threshold(c.keys, c.perDay, c.false, 0.5)
		if h < c.low || h > c.high {
			t.Errorf("%d keys, %g a day, %g false: h = %.2f, want %g to %g", c.keys, c.perDay, c.false, h, c.low, c.high)
		}
		if got := float64(c.keys) * c.perDay / baseline.RunLength(h, 0.5); c.keys > 0 && !near(got, c.false, 0.001) {
			t.Errorf("h = %.2f gives %.3f false alarms a day, want %g", h, got, c.false)
		}
	}
}

// TestCap: one wild value alone never alarms.
func TestCap(t *testing.T) {
	c := baseline.CUSUM{K: 0.5, Cap: 3}
	if s := c.Step(1000); s != 2.5 {
		t.Errorf("after one wild value the sum is %g, want 2.5", s)
	}
	if s := c.Step(-10); s != 0 {
		t.Errorf("after a low value the sum is %g, want 0", s)
	}
}
