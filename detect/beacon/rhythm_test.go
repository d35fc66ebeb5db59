package beacon

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// draws gives the same dice for the same purpose.
func draws(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(5, purpose)) }

// TestChance draws exponential intervals and holds the table against them.
func TestChance(t *testing.T) {
	const count = 10_000
	for _, row := range chance {
		if row.n > 200 {
			continue // the grid makes these cheap to look up, not to draw
		}
		r, x := draws(uint64(row.n)), make([]float64, row.n)
		var above [3]int
		for range count {
			for i := range x {
				x[i] = 1000 * r.ExpFloat64()
			}
			slices.Sort(x)
			nats := bestBand(withoutPauses(x), 0).nats
			for k := range above {
				if nats > row.quantiles[k] {
					above[k]++
				}
			}
		}
		for k, got := range above {
			want := count * math.Pow(10, -float64(k+1))
			if math.Abs(float64(got)-want) > 5*math.Sqrt(want) {
				t.Errorf("of %d intervals %d of %d exceed the quantile for 1 in 10^%d, want about %.0f", row.n, got, count, k+1, want)
			}
		}
	}
}

// TestLogTail holds that rarity falls as evidence grows, without a gap between the rows
// and the quantiles.
func TestLogTail(t *testing.T) {
	for n := fewest; n < 3000; n += 1 + n/7 {
		before := 0.0
		for nats := 0.0; nats < 60; nats += 0.25 {
			p := logTail(nats, n)
			if p > before || p < before-3 && n < 500 {
				t.Fatalf("of %d intervals: ln p %.2f at %.2f nats, %.2f just before", n, p, nats, before)
			}
			before = p
		}
	}
	if p := logTail(12.08, 48); math.Abs(p-math.Log(1e-4)) > 1e-9 {
		t.Errorf("ln p %g, want that of 1 in 10,000", p)
	}
}

// alarm is the limit that a thousand candidates have when one in a thousand alerts may be
// false: see detect. What is not that rare is no beacon.
var alarm = math.Log(1e-6)

// share is how often the process is found among so many draws.
func share(p process, n, count int) float64 {
	r, found := draws(uint64(n)), 0
	for range count {
		if m, ok := measure(p(r, n)); ok && m.LogP < alarm && m.Strength() >= DefaultConfig().Strength {
			found++
		}
	}
	return float64(found) / float64(count)
}

// TestPower holds what the README says of how often beacons are found.
func TestPower(t *testing.T) {
	for _, c := range []struct {
		name string
		p    process
		n    int
		want float64
	}{
		{"periodic", jittered(0.001), 12, 1},
		{"±20 %", jittered(0.2), 12, 0.85},
		{"±20 %", jittered(0.2), 24, 1},
		{"±50 %", jittered(0.5), 24, 0.85},
		{"±50 %", jittered(0.5), 48, 0.99},
		{"±50 %", jittered(0.5), 100, 1},
		{"±90 %", jittered(0.9), 48, 0.4},
		{"±90 %", jittered(0.9), 100, 0.99},
		{"±90 %", jittered(0.9), 144, 1},
		{"Cobalt Strike, 90 %", strike(0.9), 48, 0.8},
		{"Cobalt Strike, 90 %", strike(0.9), 100, 0.99},
		{"±50 %, a fifth missing", dirty(jittered(0.5), 0.2, 0), 48, 0.6},
		{"±50 %, a fifth missing", dirty(jittered(0.5), 0.2, 0), 100, 0.95},
		{"±50 %, each doubled", dirty(jittered(0.5), 0, 1), 48, 0.99},
		{"±50 %, a tenth missing, a fifth doubled", dirty(jittered(0.5), 0.1, 0.2), 48, 0.9},
		{"±50 %, asleep at night", nightly(jittered(0.5)), 100, 0.95},
	} {
		if got := share(c.p, c.n, 300); got < c.want {
			t.Errorf("%s, %d calls: %.3f found, want %.2f", c.name, c.n, got, c.want)
		}
	}
}

// TestNoBeacon holds that people, and machines that call by chance, are none.
func TestNoBeacon(t *testing.T) {
	for _, c := range []struct {
		name string
		p    process
	}{
		{"Poisson", poisson()},
		{"Poisson, a fifth doubled", dirty(poisson(), 0, 0.2)},
		{"log-normal, spread 1", lognormal(1)},
		{"log-normal, spread 1.5", lognormal(1.5)},
		{"people at work", office()},
		{"browsing", browsing()},
		{"browsing at work", nightly(browsing())},
	} {
		for _, n := range []int{12, 24, 48, 100, 400} {
			if got := share(c.p, n, 300); got > 0 {
				t.Errorf("%s, %d calls: %.3f taken for a beacon", c.name, n, got)
			}
		}
	}
}

// TestAgainstPeers compares with RITA's time score and with Moran's statistic, each at
// the quantile that chance exceeds once in a thousand: the table of the README.
func TestAgainstPeers(t *testing.T) {
	statistics := []struct {
		name string
		of   func([]time.Time) float64
	}{
		{"band", func(calls []time.Time) float64 {
			m, _ := measure(calls)
			return -m.LogP
		}},
		{"RITA", ritaTimes},
		{"Moran", moran},
	}
	processes := []struct {
		name string
		p    process
	}{
		{"±20 %", jittered(0.2)}, {"±50 %", jittered(0.5)}, {"±90 %", jittered(0.9)}, {"CS 90 %", strike(0.9)},
		{"±50 %, 20 % missing", dirty(jittered(0.5), 0.2, 0)}, {"±50 %, doubled", dirty(jittered(0.5), 0, 1)},
	}
	var table strings.Builder
	recall := map[string]float64{}
	for _, n := range []int{24, 48, 100, 144} {
		limits := make([]float64, len(statistics))
		r := draws(uint64(n))
		null := make([][]float64, len(statistics))
		for range 5_000 {
			calls := poisson()(r, n)
			for k, s := range statistics {
				null[k] = append(null[k], s.of(calls))
			}
		}
		for k := range statistics {
			slices.Sort(null[k])
			limits[k] = null[k][len(null[k])*999/1000]
		}
		for _, c := range processes {
			found := make([]float64, len(statistics))
			for range 200 {
				calls := c.p(r, n)
				for k, s := range statistics {
					if s.of(calls) > limits[k] {
						found[k] += 1.0 / 200
					}
				}
			}
			fmt.Fprintf(&table, "%4d  %-20s", n, c.name)
			for k, s := range statistics {
				fmt.Fprintf(&table, "  %s %.2f", s.name, found[k])
				recall[fmt.Sprint(s.name, n, c.name)] = found[k]
			}
			table.WriteByte('\n')
		}
	}
	t.Log("\n" + table.String())
	for _, n := range []int{24, 48, 100} {
		for _, c := range processes {
			if ours, theirs := recall[fmt.Sprint("band", n, c.name)], recall[fmt.Sprint("RITA", n, c.name)]; ours < theirs-0.02 {
				t.Errorf("%d calls, %s: %.2f found, RITA's score finds %.2f", n, c.name, ours, theirs)
			}
		}
	}
}
