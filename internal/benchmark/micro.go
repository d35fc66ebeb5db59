package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// entry is one line of the micro part: a contender, its datagrams and its rounds.
type entry struct {
	name string
	ring *ring
	contender
	nanoseconds []float64 // a record, by round
	allocations float64   // a record, over all rounds but the first
	records     int
}

// measureMicro measures decoding and enriching on one thread: rounds of all the
// contenders in turn, so that what else runs on the machine meets them alike.
func measureMicro(ctx context.Context, r *report, short bool) error {
	rounds, atLeast := 21, 200*time.Millisecond
	if short {
		rounds, atLeast = 5, 60*time.Millisecond
	}
	r.Say("\nmicro: one thread, %d rounds of %s and more of each in turn, CPU time of the thread", rounds, atLeast)
	entries, err := microEntries()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for round := range rounds + 1 { // the first warms up
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := e.round(atLeast, round > 0); err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	entries.report(r)
	return nil
}

// The names of the entries.
const (
	goflow2V9, goflow2IPFIX, goflow2Random = "goflow2 v9", "goflow2 ipfix", "goflow2 v9 random"
	decodeV9, decodeIPFIX                  = "tapwatch v9", "tapwatch ipfix"
	decodeEnrich, decodeEnrichRandom       = "tapwatch v9 enriched", "tapwatch v9 random enriched"
	decodeEnrichIPFIX                      = "tapwatch ipfix enriched"
)

type entryList []*entry

func microEntries() (entryList, error) {
	decoder, chain, err := stages(configuration())
	if err != nil {
		return nil, err
	}
	v9, random, small := ringV9(false), ringV9(true), ringIPFIX()
	return entryList{
		{name: goflow2V9, ring: v9, contender: newGoflow2()},
		{name: decodeV9, ring: v9, contender: newTapwatch(decoder(), nil)},
		{name: decodeEnrich, ring: v9, contender: newTapwatch(decoder(), chain)},
		{name: goflow2IPFIX, ring: small, contender: newGoflow2()},
		{name: decodeIPFIX, ring: small, contender: newTapwatch(decoder(), nil)},
		{name: decodeEnrichIPFIX, ring: small, contender: newTapwatch(decoder(), chain)},
		{name: goflow2Random, ring: random, contender: newGoflow2()},
		{name: decodeEnrichRandom, ring: random, contender: newTapwatch(decoder(), chain)},
	}, nil
}

// round makes passes for at least so long. It is an error if not every record is
// found.
func (e *entry) round(atLeast time.Duration, counts bool) error {
	runtime.GC() // nobody is to clear away what another one left
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	records, took := 0, time.Duration(0)
	for took < atLeast {
		e.ring.redraw()
		t, err := e.timedPass()
		if err != nil {
			return err
		}
		records, took = records+e.ring.records, took+t
	}
	runtime.ReadMemStats(&after)
	if counts {
		e.nanoseconds = append(e.nanoseconds, float64(took.Nanoseconds())/float64(records))
		e.allocations += float64(after.Mallocs - before.Mallocs)
		e.records += records
	}
	return nil
}

// timedPass makes one pass and gives the CPU time it took.
func (e *entry) timedPass() (time.Duration, error) {
	began, err := threadCPU()
	if err != nil {
		return 0, err
	}
	n, err := e.pass(e.ring)
	if err != nil {
		return 0, err
	}
	if n != e.ring.records {
		return 0, fmt.Errorf("found %d of %d records", n, e.ring.records)
	}
	ended, err := threadCPU()
	return ended - began, err
}

func (all entryList) find(name string) *entry {
	return all[slices.IndexFunc(all, func(e *entry) bool { return e.name == name })]
}

// ratio is what one entry costs in parts of another: the median over the rounds, in
// each of which they were measured one shortly after the other.
func (all entryList) ratio(name, of string) float64 {
	a, b := all.find(name).nanoseconds, all.find(of).nanoseconds
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

func (all entryList) report(r *report) {
	r.Say("  %-30s %12s %12s %12s", "ns a record", "least", "median", "allocations")
	for _, e := range all {
		r.Say("  %-30s %12.1f %12.1f %12.4f", e.name, slices.Min(e.nanoseconds), median(e.nanoseconds), e.allocations/float64(e.records))
	}
	for _, line := range []struct{ result, entry, of string }{
		{"decode_vs_goflow2", decodeV9, goflow2V9},
		{"decode_enrich_vs_goflow2", decodeEnrich, goflow2V9},
		{"decode_vs_goflow2_ipfix", decodeIPFIX, goflow2IPFIX},
		{"decode_enrich_vs_goflow2_ipfix", decodeEnrichIPFIX, goflow2IPFIX},
		{"decode_enrich_random_vs_goflow2", decodeEnrichRandom, goflow2Random},
	} {
		ratio := all.ratio(line.entry, line.of)
		least := slices.Min(all.find(line.entry).nanoseconds) / slices.Min(all.find(line.of).nanoseconds)
		r.Say("  %-30s %12.4f of goflow2 (of the least: %.4f)", line.entry, ratio, least)
		r.Add(line.result, ratio)
	}
	for _, line := range []struct{ result, entry string }{
		{"goflow2_ns_per_record", goflow2V9},
		{"decode_ns_per_record", decodeV9},
		{"decode_enrich_ns_per_record", decodeEnrich},
		{"decode_enrich_random_ns_per_record", decodeEnrichRandom},
		{"goflow2_ns_per_record_ipfix", goflow2IPFIX},
		{"decode_ns_per_record_ipfix", decodeIPFIX},
	} {
		r.Add(line.result, median(all.find(line.entry).nanoseconds))
	}
	allocating := 0.0
	for _, name := range []string{decodeEnrich, decodeEnrichIPFIX, decodeEnrichRandom} {
		e := all.find(name)
		allocating = max(allocating, e.allocations/float64(e.records))
	}
	r.Add("allocs_per_record", allocating)
}
