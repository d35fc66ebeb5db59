package main

import "tapwatch/internal/benchmark/measure"

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
type report = measure.Report

var median = measure.Median
