package beacon

import (
	"math"
	"time"

	"tapwatch/detect/baseline"
)

// coverage is how evenly the calls of a pair lie over hours.
type coverage struct {
	// Hours of Of had a call. Mean and Variation are of the calls of an hour: Variation
	// is their standard deviation by their mean.
	Hours, Of       int
	Mean, Variation float64
	// LogP is the natural logarithm of how often chance spreads as many calls as evenly.
	LogP float64
}

// mostHours is how many hours are compared at most: those of a week, less one in which
// the first may begin.
const mostHours = 167

// phases are how many beginnings of the first hour are tried: a program that calls once
// in each of its own hours does not know ours. The best counts once in so many.
const phases = 12

// cover compares the calls, ascending, of the hours from the first one to end, at most a
// week. Fewer than least hours say nothing.
//
// Calls by chance are a Poisson process: the index of dispersion of its hourly counts,
// Σ(n-mean)²/mean, is distributed as χ² with one degree of freedom less than there are
// hours (Fisher 1922, Cox and Lewis 1966, 6.3). Its lower tail says how rarely chance is
// so even; it is taken by Wilson and Hilferty's cube root (1931). People make it uneven,
// and never get there.
func cover(calls []time.Time, end time.Time, least int) (best coverage) {
	if len(calls) == 0 {
		return coverage{}
	}
	hours := min(mostHours, int(end.Sub(calls[0])/time.Hour))
	if hours < max(least, 2) {
		return coverage{}
	}
	for phase := range phases {
		from := end.Add(-time.Duration(hours)*time.Hour - time.Duration(phase)*time.Hour/phases)
		c := spread(calls, from, hours)
		c.LogP = min(0, c.LogP+math.Log(phases))
		if phase == 0 || c.LogP < best.LogP {
			best = c
		}
	}
	return best
}

// spread is the coverage of so many hours from a moment on.
func spread(calls []time.Time, from time.Time, hours int) coverage {
	counts := make([]float64, hours)
	sum := 0.0
	for _, at := range calls {
		if i := int(at.Sub(from) / time.Hour); !at.Before(from) && i < hours {
			counts[i]++
			sum++
		}
	}
	if sum == 0 {
		return coverage{}
	}
	c := coverage{Of: hours, Mean: sum / float64(hours)}
	away := 0.0
	for _, n := range counts {
		if n > 0 {
			c.Hours++
		}
		away += (n - c.Mean) * (n - c.Mean)
	}
	c.Variation = math.Sqrt(away/float64(hours)) / c.Mean
	c.LogP = min(0, logChiSquareBelow(away/c.Mean, float64(hours-1)))
	return c
}

// logChiSquareBelow is ln P(X <= x) of χ² with k degrees of freedom.
func logChiSquareBelow(x, k float64) float64 {
	z := (math.Cbrt(x/k) - (1 - 2/(9*k))) / math.Sqrt(2/(9*k))
	return baseline.LogNormalTail(-z)
}
