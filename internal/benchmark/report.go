package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// headlines are the results that come last, in this order. Others compare them from
// one version to the next: names and order stay.
var headlines = []string{
	"decode_vs_goflow2",
	"decode_vs_goflow2_ipfix",
	"decode_enrich_vs_goflow2",
	"collector_cpu_vs_nfcapd",
	"allocs_per_record",
}

// report collects results while it prints lines for people.
type report struct {
	out     io.Writer
	results []result
}

type result struct {
	name  string
	value float64
}

// say prints a line for people.
func (r *report) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// add keeps a result for the end.
func (r *report) add(name string, value float64) {
	r.results = append(r.results, result{name, value})
}

// print prints the results, the headlines last.
func (r *report) print() {
	slices.SortStableFunc(r.results, func(a, b result) int {
		return slices.Index(headlines, a.name) - slices.Index(headlines, b.name)
	})
	r.say("")
	for _, res := range r.results {
		r.say("bench %s %s", res.name, strconv.FormatFloat(res.value, 'f', 4, 64))
	}
}

// median gives the middle value; of an even number the mean of the two middle ones.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n == 0 {
		return 0
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}
