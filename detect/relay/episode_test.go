package relay

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

// sessions draws n sessions within so many hours, of sizes as the dice say.
func sessions(r *rand.Rand, n, hours int, size func() uint64) []stitched {
	var all []stitched
	for range n {
		start := noon.Add(time.Duration(r.Int64N(int64(hours) * int64(time.Hour))))
		all = append(all, stitched{start, start.Add(5 * time.Minute), size(), 2 * size()})
	}
	return all
}

// TestCompare holds that chance is no relay, whatever the rates and sizes, and that a
// relay is one.
func TestCompare(t *testing.T) {
	cfg := DefaultConfig()
	alarms := func(m match) bool { return len(m.episodes) >= cfg.Episodes && m.LogP <= math.Log(cfg.Chance) }
	r := rand.New(rand.NewPCG(3, 4))
	fixed := func() uint64 { return 40_000 }
	wild := func() uint64 { return uint64(20_000 * math.Exp(2*r.NormFloat64())) }
	for _, c := range []struct {
		name       string
		came, went int
		size       func() uint64
	}{
		{"few of one size", 30, 30, fixed}, {"many of one size", 1000, 1000, fixed}, {"one a minute", 1440, 1440, fixed},
		{"few of all sizes", 30, 30, wild}, {"many of all sizes", 1000, 1000, wild},
	} {
		for range 20 {
			if m := cfg.compare(sessions(r, c.came, 24, c.size), sessions(r, c.went, 24, c.size), 24*time.Hour); alarms(m) {
				t.Errorf("%s: %d episodes where %.1f are expected, ln p %.1f", c.name, len(m.episodes), m.expected, m.LogP)
			}
		}
	}
	for _, n := range []int{3, 4, 8} {
		found := 0
		for range 100 {
			came := sessions(r, n+10, 24, wild)
			went := sessions(r, 20, 24, wild)
			for _, in := range came[:n] { // these go on
				lag := time.Duration(r.Int64N(int64(4500*time.Millisecond))) + 100*time.Millisecond
				went = append(went, stitched{in.start.Add(lag), in.end, uint64(float64(in.up) * (0.92 + 0.16*r.Float64())), uint64(float64(in.down) * (0.92 + 0.16*r.Float64()))})
			}
			if alarms(cfg.compare(came, went, 10*time.Hour)) {
				found++
			}
		}
		if found < 95 && n > 3 || found < 80 {
			t.Errorf("of relays with %d episodes %d of 100 are found", n, found)
		}
	}
}
