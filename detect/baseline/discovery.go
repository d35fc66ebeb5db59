package baseline

import (
	"cmp"
	"math"
	"slices"
)

// Discoveries says which of many tests stand out when at most the share q of those
// that are said to stand out may do so by chance. logp are the natural logarithms of
// their p-values; the answer is in their order. Benjamini, Hochberg, "Controlling the
// false discovery rate", J. R. Statist. Soc. B 57 (1995). It holds for independent
// tests and for those that depend positively on each other (Benjamini, Yekutieli 2001).
func Discoveries(logp []float64, q float64) []bool {
	order := make([]int, len(logp))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(logp[a], logp[b]) })
	last := -1
	for rank, i := range order {
		if logp[i] <= math.Log(q*float64(rank+1)/float64(len(logp))) {
			last = rank
		}
	}
	found := make([]bool, len(logp))
	for rank := range last + 1 {
		found[order[rank]] = true
	}
	return found
}
