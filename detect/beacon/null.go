package beacon

import (
	"math"
	"sort"
)

// chance holds the quantiles of bestBand's likelihood ratio for n exponential intervals,
// from a hundred thousand to a million draws each: what chance exceeds once in 10, 100, 1000 and 10,000 times.
// TestChance draws them again.
var chance = [...]struct {
	n         int
	quantiles [4]float64
}{
	{8, [4]float64{4.98, 8.12, 10.82, 13.30}},
	{12, [4]float64{4.61, 7.68, 10.56, 13.14}},
	{16, [4]float64{4.36, 7.46, 10.22, 13.01}},
	{24, [4]float64{4.06, 7.11, 10.01, 12.73}},
	{32, [4]float64{3.92, 6.81, 9.58, 12.50}},
	{48, [4]float64{3.82, 6.51, 9.25, 12.08}},
	{64, [4]float64{3.78, 6.37, 8.92, 11.66}},
	{100, [4]float64{3.50, 6.00, 8.30, 10.52}},
	{144, [4]float64{3.33, 5.87, 8.24, 10.82}},
	{200, [4]float64{3.05, 5.81, 8.21, 10.43}},
	{300, [4]float64{2.46, 5.52, 8.12, 10.76}},
	{500, [4]float64{1.01, 4.71, 7.55, 10.18}},
	{1000, [4]float64{0.00, 1.61, 5.58, 8.81}},
	{2000, [4]float64{0.00, 0.00, 0.00, 3.84}},
}

// decade is how many nats more make it ten times rarer beyond the last quantile. The
// likelihood ratio of a band with three free parameters falls by ln 10 = 2.3 a decade in
// the limit and by up to 3 in the table; the larger errs on the side of silence.
const decade = 3.0

// logTail is the natural logarithm of how often n exponential intervals give as much or
// more; between the rows and the quantiles of the table it is interpolated.
func logTail(nats float64, n int) float64 {
	if nats <= 0 {
		return 0
	}
	q := quantiles(n)
	low, at := 0.0, 0.0
	for i, high := range q {
		if nats < high {
			return math.Ln10 * (at - (nats-low)/(high-low))
		}
		low, at = high, -float64(i+1)
	}
	return math.Ln10 * (at - (nats-low)/decade)
}

// quantiles are those of the table, between its rows by the logarithm of n.
func quantiles(n int) [4]float64 {
	i := sort.Search(len(chance), func(i int) bool { return chance[i].n >= n })
	if i == len(chance) {
		return chance[i-1].quantiles
	}
	if i == 0 || chance[i].n == n {
		return chance[i].quantiles
	}
	a, b := chance[i-1], chance[i]
	part := math.Log(float64(n)/float64(a.n)) / math.Log(float64(b.n)/float64(a.n))
	var q [4]float64
	for k := range q {
		q[k] = a.quantiles[k] + part*(b.quantiles[k]-a.quantiles[k])
	}
	return q
}
