package beacon

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// process draws the times of n calls.
type process func(r *rand.Rand, n int) []time.Time

var epoch = time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)

const mean = 600.0 // seconds between calls

// renewal is a process of independent intervals, in seconds.
func renewal(interval func(r *rand.Rand) float64) process {
	return func(r *rand.Rand, n int) []time.Time {
		calls, at := make([]time.Time, n), 0.0
		for i := range calls {
			at += interval(r)
			calls[i] = epoch.Add(seconds(at))
		}
		return calls
	}
}

// jittered is a beacon whose intervals lie evenly within ±share of the mean.
func jittered(share float64) process {
	return renewal(func(r *rand.Rand) float64 { return mean * (1 + share*(2*r.Float64()-1)) })
}

// strike is a beacon as Cobalt Strike's: it sleeps up to the share less than it is told.
func strike(share float64) process {
	return renewal(func(r *rand.Rand) float64 { return mean * (1 - share*r.Float64()) })
}

func poisson() process {
	return renewal(func(r *rand.Rand) float64 { return mean * r.ExpFloat64() })
}

func lognormal(spread float64) process {
	return renewal(func(r *rand.Rand) float64 { return mean * math.Exp(spread*r.NormFloat64()) })
}

// dirty misses some calls of a process, and doubles some within two seconds.
func dirty(p process, missed, doubled float64) process {
	return func(r *rand.Rand, n int) []time.Time {
		var calls []time.Time
		for _, at := range p(r, int(math.Round(float64(n)/(1-missed)))) {
			if r.Float64() < missed {
				continue
			}
			calls = append(calls, at)
			if r.Float64() < doubled {
				calls = append(calls, at.Add(seconds(2*r.Float64())))
			}
		}
		slices.SortFunc(calls, time.Time.Compare)
		return calls
	}
}

// office is a Poisson process of people: ten times as many calls by day as by night.
func office() process {
	return func(r *rand.Rand, n int) []time.Time {
		var calls []time.Time
		for at := 0.0; len(calls) < n; {
			at += mean * r.ExpFloat64() / 2
			if hour := int(at/3600) % 24; hour >= 8 && hour < 18 || r.Float64() < 0.1 {
				calls = append(calls, epoch.Add(seconds(at)))
			}
		}
		return calls
	}
}

// browsing is bursts of calls, as of people who follow links: some minutes between bursts,
// seconds within.
func browsing() process {
	return func(r *rand.Rand, n int) []time.Time {
		var calls []time.Time
		for at := 0.0; len(calls) < n; {
			at += 6 * mean * r.ExpFloat64()
			for range 1 + r.IntN(12) {
				at += 20 * math.Exp(1.2*r.NormFloat64())
				calls = append(calls, epoch.Add(seconds(at)))
			}
		}
		return calls[:n]
	}
}

// nightly pauses a process from midnight to eight.
func nightly(p process) process {
	return func(r *rand.Rand, n int) []time.Time {
		var calls []time.Time
		for _, at := range p(r, 2*n) {
			if at.Hour() >= 8 && len(calls) < n {
				calls = append(calls, at)
			}
		}
		return calls
	}
}

// ritaTimes is the time score of RITA v5 (analysis/beacons.go, commit a3c5150): how
// symmetric the intervals are about their median, and how close to it. It is here to
// be compared with.
func ritaTimes(calls []time.Time) float64 {
	var x []float64
	for i := 1; i < len(calls); i++ {
		if d := math.Floor(calls[i].Sub(calls[i-1]).Seconds()); d > 0 {
			x = append(x, d)
		}
	}
	slices.Sort(x)
	at := func(list []float64, p float64) float64 { return list[int(p*float64(len(list)-1))] }
	q1, q2, q3 := at(x, 0.25), at(x, 0.5), at(x, 0.75)
	skew := 0.0
	if q3-q1 >= 10 && q2 != q1 && q2 != q3 {
		skew = (q1 + q3 - 2*q2) / (q3 - q1)
	}
	away := make([]float64, len(x))
	for i, v := range x {
		away[i] = math.Abs(v - q2)
	}
	slices.Sort(away)
	return ((1 - math.Abs(skew)) + max(0, (q2-at(away, 0.5))/q2)) / 2
}

// moran is the likelihood ratio of gamma intervals against exponential ones (Moran
// 1951), to be compared with.
func moran(calls []time.Time) float64 {
	sum, logs, n := 0.0, 0.0, float64(len(calls)-1)
	for i := 1; i < len(calls); i++ {
		d := max(1, calls[i].Sub(calls[i-1]).Seconds())
		sum += d
		logs += math.Log(d)
	}
	return n * (logs/n - math.Log(sum/n))
}
