package measure

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Report collects results while it prints lines for people.
type Report struct {
	Out io.Writer
	// Headlines are the results that come last, in this order. Others compare them from
	// one version to the next: names and order stay.
	Headlines []string
	results   []result
}

type result struct {
	name  string
	value float64
}

// Say prints a line for people.
func (r *Report) Say(format string, args ...any) { fmt.Fprintf(r.Out, format+"\n", args...) }

// Add keeps a result for the end.
func (r *Report) Add(name string, value float64) {
	r.results = append(r.results, result{name, value})
}

// Print prints the results, the headlines last.
func (r *Report) Print() {
	slices.SortStableFunc(r.results, func(a, b result) int {
		return slices.Index(r.Headlines, a.name) - slices.Index(r.Headlines, b.name)
	})
	r.Say("")
	for _, res := range r.results {
		r.Say("bench %s %s", res.name, strconv.FormatFloat(res.value, 'f', 4, 64))
	}
}

// Median gives the middle value; of an even number the mean of the two middle ones.
func Median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Quantile gives the least value that is not below the part q of all; 0 of none.
func Quantile(values []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s) == 0 {
		return 0
	}
	at := int(q * float64(len(s)))
	return s[min(at, len(s)-1)]
}
