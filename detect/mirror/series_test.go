package mirror

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// wander draws a volume with a memory: each minute keeps the share of the one before.
func wander(r *rand.Rand, minutes int, memory float64) []float64 {
	all, level := make([]float64, minutes), r.NormFloat64()
	for i := range all {
		level = memory*level + math.Sqrt(1-memory*memory)*r.NormFloat64()
		all[i] = 1e8 * math.Exp(0.35*level)
	}
	return all
}

// sampled is what a router that samples 1 of interval packets of 1000 bytes makes of it.
func sampled(r *rand.Rand, bytes []float64, interval uint32) series {
	s := newSeries(len(bytes))
	for i, b := range bytes {
		seen := b
		if interval > 1 {
			n := b / 1000 / float64(interval)
			seen = max(0, n+math.Sqrt(n)*r.NormFloat64()) * 1000 * float64(interval)
		}
		s.add(i, seen, interval)
	}
	return s
}

func share(bytes []float64, part float64, r *rand.Rand) []float64 {
	all := make([]float64, len(bytes))
	for i, b := range bytes {
		all[i] = part * b * (0.97 + 0.06*r.Float64())
	}
	return all
}

// TestUnrelated holds that traffic that has nothing in common hardly ever looks like a
// copy, however long its memory.
func TestUnrelated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	d := New(DefaultConfig(), nil)
	for _, memory := range []float64{0, 0.5, 0.8, 0.95, 0.99} {
		alarms := 0
		for range 300 {
			var others []original
			for range 20 {
				others = append(others, original{sampled(r, wander(r, 120, memory), 1), "another"})
			}
			copied := sampled(r, share(wander(r, 120, memory), 0.05, r), 1)
			if d.match(copied, netip.Addr{}, others, ruleInterface) != nil {
				alarms++
			}
		}
		if alarms > 0 {
			t.Errorf("memory %g: %d of 300 routers with 20 interfaces have a copy", memory, alarms)
		}
	}
}

// TestFollows holds what the README says of how often copies are found.
func TestFollows(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	d := New(DefaultConfig(), nil)
	for _, c := range []struct {
		name             string
		memory           float64
		interval, minute uint32 // the original is sampled so, the copy comes so much later
		want             int
	}{
		{"every packet", 0.8, 1, 0, 100},
		{"a minute later", 0.8, 1, 1, 99},
		{"1 of 128", 0.8, 128, 0, 99},
		{"1 of 512", 0.8, 512, 0, 95},
		{"slow", 0.9, 128, 0, 90},
	} {
		found := 0
		for range 100 {
			level := wander(r, 121, c.memory)
			others := []original{{sampled(r, level[c.minute:120+c.minute], c.interval), "the original"}}
			for range 20 {
				others = append(others, original{sampled(r, wander(r, 120, c.memory), c.interval), "another"})
			}
			m := d.match(sampled(r, share(level[:120], 0.03, r), 1), netip.Addr{}, others, ruleInterface)
			if m != nil && m.what == "the original" {
				found++
			}
		}
		if found < c.want {
			t.Errorf("%s: %d of 100 copies found, want %d", c.name, found, c.want)
		}
	}
}

// TestNoise holds that nothing is said where sampling blurs too much.
func TestNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	d := New(DefaultConfig(), nil)
	for range 100 {
		level := wander(r, 120, 0.8)
		for i := range level {
			level[i] /= 100 // a megabyte a minute
		}
		others := []original{{sampled(r, level, 4096), "the original"}}
		if m := d.match(sampled(r, share(level, 0.03, r), 1), netip.Addr{}, others, ruleInterface); m != nil {
			t.Fatalf("found a copy with a reliability of %.2f", m.Reliability)
		}
	}
}
