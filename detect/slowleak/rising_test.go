package slowleak

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tapwatch/detect/baseline"
)

// begin is a Monday.
var begin = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC)

// history are days of a system that sends typical bytes on weekdays and a third of it
// at weekends, spread as sigma says, and extra on the days from attack on.
func history(random *rand.Rand, n int, typical, sigma float64, attack int, extra func(day int) float64) map[time.Time]daily {
	all := map[time.Time]daily{}
	for i := range n {
		at := begin.AddDate(0, 0, i)
		sent := typical * math.Exp(sigma*random.NormFloat64())
		if baseline.Weekend(at) {
			sent /= 3
		}
		if i >= attack {
			sent += extra(i - attack)
		}
		all[at] = daily{At: at, Sent: uint64(sent)}
	}
	return all
}

// TestRises says in how many of 200 systems a rise is found within a fortnight.
func TestRises(t *testing.T) {
	cfg := DefaultConfig()
	limit := estimated * baseline.Threshold(1000, 1, cfg.FalsePerDay, cusumK)
	steady := func(bytes float64) func(int) float64 { return func(int) float64 { return bytes } }
	for _, c := range []struct {
		name           string
		typical, sigma float64
		extra          func(int) float64
		low, high      float64
	}{
		{"10 MB a day beside 10 MB", 10e6, 0.3, steady(10e6), 0.8, 1},
		{"10 MB a day beside 5 MB", 5e6, 0.4, steady(10e6), 0.95, 1},
		{"10 MB a day beside 200 MB: drowned", 200e6, 0.4, steady(10e6), 0, 0.03},
		{"a tenth more every day", 20e6, 0.3, func(d int) float64 { return 20e6 * (math.Pow(1.1, float64(d+1)) - 1) }, 0.8, 1},
		{"nothing", 20e6, 0.4, steady(0), 0, 0.02},
		{"nothing, heavy spread", 20e6, 1, steady(0), 0, 0.04},
	} {
		random := rand.New(rand.NewPCG(11, 12))
		found := 0
		for range 200 {
			days := history(random, 42+14, c.typical, c.sigma, 42, c.extra)
			for d := 1; d <= 14; d++ {
				end := begin.AddDate(0, 0, 42+d)
				if _, ok := cfg.rises(days, end.Add(-cfg.History), end, limit); ok {
					found++
					break
				}
			}
		}
		share := float64(found) / 200
		t.Logf("%s: %.3f", c.name, share)
		if share < c.low || share > c.high {
			t.Errorf("%s: found in %.3f of the systems, want %.2f to %.2f", c.name, share, c.low, c.high)
		}
	}
}
