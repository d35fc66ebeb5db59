package collector_test

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"tapwatch/collector"
)

// counts are what a Sequence counts.
type counts struct{ records, datagrams, late, restarts uint64 }

func countsOf(t *collector.Tally) counts {
	return counts{t.LostRecords, t.LostDatagrams, t.LateDatagrams, t.Restarts}
}

// numbered are messages of n records each, with the numbers given.
func numbered(countsRecords bool, records int, numbers ...uint32) []collector.Numbering {
	var all []collector.Numbering
	for _, n := range numbers {
		all = append(all, collector.Numbering{Number: n, Records: records, RecordsKnown: true, CountsRecords: countsRecords})
	}
	return all
}

// from gives n numbers, step apart.
func from(first, step uint32, n int) []uint32 {
	var all []uint32
	for i := range n {
		all = append(all, first+uint32(i)*step)
	}
	return all
}

func joined[T any](lists ...[]T) (all []T) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// at gives the messages an uptime, a second apart.
func at(uptime uint32, messages []collector.Numbering) []collector.Numbering {
	for i := range messages {
		messages[i].HasUptime, messages[i].Uptime = true, uptime+uint32(i)*1000
	}
	return messages
}

// unknown makes the records of one message unknown.
func unknown(i int, messages []collector.Numbering) []collector.Numbering {
	messages[i].Records, messages[i].RecordsKnown = 0, false
	return messages
}

func TestSequence(t *testing.T) {
	const day = 86_400_000
	v9 := func(numbers ...[]uint32) []collector.Numbering { return numbered(false, 20, joined(numbers...)...) }
	ipfix := func(numbers ...[]uint32) []collector.Numbering { return numbered(true, 20, joined(numbers...)...) }
	one := func(n uint32) []uint32 { return []uint32{n} }
	for _, c := range []struct {
		name     string
		messages []collector.Numbering
		want     counts
	}{
		{"datagrams in order", v9(from(7, 1, 50)), counts{}},
		{"records in order", ipfix(from(7, 20, 50)), counts{}},
		{"datagrams lost", v9(from(7, 1, 10), from(20, 1, 10)), counts{datagrams: 3}},
		{"records lost", ipfix(from(0, 20, 10), from(260, 20, 10)), counts{records: 60}},
		{"lost before the numbers are proven", v9(from(7, 1, 2), from(10, 1, 10)), counts{datagrams: 1}},
		{"two messages prove nothing", v9(one(7), one(9)), counts{}},
		{"datagrams over the wrap", v9(from(1<<32-5, 1, 10)), counts{}},
		{"records lost at the wrap", ipfix(from(1<<32-110, 20, 5), from(30, 20, 10)), counts{records: 40}},
		{"two swapped", v9(from(0, 1, 10), one(11), one(10), from(12, 1, 5)), counts{late: 1}},
		{"records swapped", ipfix(from(0, 20, 10), one(220), one(200), from(240, 20, 5)), counts{late: 1}},
		{"one of three comes late", v9(from(0, 1, 10), from(13, 1, 5), one(11)), counts{datagrams: 2, late: 1}},
		{"each one twice", v9(one(0), one(0), one(1), one(1), one(2), one(2), one(3), one(3), one(4), one(4), one(5), one(7)), counts{datagrams: 1}},
		{"one again, later", v9(from(0, 1, 10), one(6), from(10, 1, 5)), counts{}},
		{"a late one again", v9(from(0, 1, 10), one(11), one(10), one(10), one(12), one(10), one(13)), counts{late: 1}},
		{"a row again, later", v9(from(0, 1, 10), from(4, 1, 6), from(10, 1, 5)), counts{}},
		{"a long outage", v9(from(0, 1, 20), from(100_000, 1, 10)), counts{datagrams: 99_980}},
		{"a long outage of records", ipfix(from(0, 20, 20), from(10_000_000, 20, 10)), counts{records: 10_000_000 - 400}},
		{"one message from nowhere", v9(from(0, 1, 20), one(1<<30), from(20, 1, 10)), counts{}},

		{"reboot", joined(at(9*day, v9(from(5000, 1, 10))), at(30_000, v9(from(0, 1, 10)))), counts{restarts: 1}},
		{"reboot to a higher number", joined(at(9*day, v9(from(5, 1, 10))), at(30_000, v9(from(90, 1, 10)))), counts{restarts: 1}},
		{"reboot after one message", joined(at(9*day, v9(one(0))), at(30_000, v9(from(0, 1, 10)))), counts{restarts: 1}},
		{"loss after a reboot", joined(at(9*day, v9(from(5000, 1, 20))), at(30_000, v9(one(0), from(3, 1, 10)))), counts{datagrams: 2, restarts: 1}},
		{"loss up to where it was before the reboot", joined(at(9*day, v9(from(50, 1, 20))), at(30_000, v9(from(0, 1, 60), from(70, 1, 10)))), counts{datagrams: 10, restarts: 1}},
		{"uptime wraps", joined(at(1<<32-5000, v9(from(100, 1, 5))), at(0, v9(from(105, 1, 10)))), counts{}},
		{"uptime wraps and some are lost", joined(at(1<<32-5000, v9(from(100, 1, 5))), at(4000, v9(from(109, 1, 10)))), counts{datagrams: 4}},
		{"a late one with an older uptime", joined(at(day, v9(from(0, 1, 10), one(11))), at(day, v9(one(10))), at(day+12_000, v9(from(12, 1, 5)))), counts{late: 1}},
		{"two exporters behind one address", alternating(at(9*day, v9(from(5000, 1, 40))), at(day, v9(from(77, 1, 40)))), counts{}},
		{"numbers begin anew far back", v9(from(900_000, 1, 20), from(0, 1, 10)), counts{restarts: 1}},
		{"numbers begin anew nearby", v9(from(40, 1, 20), from(0, 1, 30)), counts{restarts: 1}},
		{"numbers begin anew far ahead", v9(from(0, 1, 20), from(1<<30, 1, 10)), counts{restarts: 1}},
		{"records begin anew before they are proven", joined(numbered(true, 59, 0), numbered(true, 0, 59), numbered(true, 60, from(0, 60, 20)...)), counts{}},
		{"records begin anew", ipfix(from(3_000_000_000, 20, 20), from(0, 20, 10)), counts{restarts: 1}},

		{"records not known", unknown(9, ipfix(from(0, 20, 20))), counts{}},
		{"records not known, then loss", unknown(9, ipfix(from(0, 20, 15), from(500, 20, 5))), counts{records: 200}},
		{"records not known do not matter", unknown(9, v9(from(0, 1, 15), from(18, 1, 5))), counts{datagrams: 3}},
		{"loss before a message not known", unknown(15, ipfix(from(0, 20, 15), from(340, 20, 5))), counts{records: 40}},

		{"IPFIX that counts messages", ipfix(from(7, 1, 50)), counts{}},
		{"IPFIX that counts messages, and loss", ipfix(from(7, 1, 20), from(30, 1, 20)), counts{datagrams: 3}},
		{"IPFIX that counts messages, first of one record", joined(numbered(true, 1, from(0, 1, 200)...), ipfix(from(200, 1, 200))), counts{}},
		{"v9 that counts records", v9(from(7, 20, 50)), counts{}},
		{"v9 that counts records, and loss", v9(from(7, 20, 20), from(467, 20, 20)), counts{records: 60}},
		{"v9 that counts records, first one each", joined(numbered(false, 1, from(0, 1, 200)...), v9(from(200, 20, 200))), counts{}},
		{"IPFIX that counts up to the message's end", upToEnd(400), counts{}},
		{"the same, records not known at first", unknownUntil(100, upToEnd(400)), counts{}}, // VMware
		{"always 0", v9(from(0, 0, 50)), counts{}},
		{"records always 0", ipfix(from(0, 0, 50)), counts{}},
		{"bytes", ipfix(from(0, 1400, 50)), counts{}},
		{"a clock", v9(from(1_700_000_000, 3, 50)), counts{}},
		{"downward", v9(from(5000, ^uint32(0), 50)), counts{}},
		{"template alone, not numbered", templatesNotNumbered(), counts{}},
		{"two domains share a counter in turn", v9(from(0, 2, 50)), counts{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s collector.Sequence
			var tally collector.Tally
			for _, n := range c.messages {
				s.Observe(&tally, n)
			}
			if got := countsOf(&tally); got != c.want {
				t.Errorf("counts %+v, want %+v", got, c.want)
			}
		})
	}
}

// alternating merges two lists, one of each in turn.
func alternating(a, b []collector.Numbering) (all []collector.Numbering) {
	for i := range a {
		all = append(all, a[i], b[i])
	}
	return all
}

// unknownUntil makes the records of the first messages unknown.
func unknownUntil(n int, messages []collector.Numbering) []collector.Numbering {
	for i := range n {
		unknown(i, messages)
	}
	return messages
}

// upToEnd are messages of many sizes whose number counts their own records too.
func upToEnd(n int) (all []collector.Numbering) {
	number := uint32(0)
	for i := range n {
		size := 1 + i*7%30
		number += uint32(size)
		all = append(all, numbered(true, size, number)...)
	}
	return all
}

// templatesNotNumbered is a v9 exporter whose template datagrams have the number of
// the next datagram.
func templatesNotNumbered() (all []collector.Numbering) {
	for i := range uint32(50) {
		if i%5 == 0 {
			all = append(all, numbered(false, 0, i)...)
		}
		all = append(all, numbered(false, 20, i)...)
	}
	return all
}

// TestSequenceOverIntervals: what comes late is given back in the next interval,
// when the tally of its own has been reported.
func TestSequenceOverIntervals(t *testing.T) {
	var s collector.Sequence
	observe := func(want counts, numbers ...uint32) {
		t.Helper()
		var tally collector.Tally
		for _, n := range numbered(false, 20, numbers...) {
			s.Observe(&tally, n)
		}
		if got := countsOf(&tally); got != want {
			t.Errorf("counts %+v, want %+v", got, want)
		}
	}
	observe(counts{datagrams: 2}, 0, 1, 2, 3, 4, 5, 8, 9)
	observe(counts{late: 1}, 10, 6, 11)
	observe(counts{datagrams: 3}, 12, 17)
}

// TestSequenceGarbage: numbers that follow no pattern count nothing.
func TestSequenceGarbage(t *testing.T) {
	for name, next := range map[string]func(*rand.Rand, uint32) uint32{
		"any number":      func(r *rand.Rand, _ uint32) uint32 { return r.Uint32() },
		"any small one":   func(r *rand.Rand, _ uint32) uint32 { return r.Uint32N(256) },
		"any of 16 bits":  func(r *rand.Rand, _ uint32) uint32 { return r.Uint32N(1 << 16) },
		"upward somehow":  func(r *rand.Rand, was uint32) uint32 { return was + r.Uint32N(40) },
		"bytes":           func(r *rand.Rand, was uint32) uint32 { return was + 60 + r.Uint32N(1400) },
		"now up now down": func(r *rand.Rand, was uint32) uint32 { return was + r.Uint32N(100) - 50 },
		"milliseconds":    func(r *rand.Rand, was uint32) uint32 { return was + r.Uint32N(2000) },
		"one of three":    func(r *rand.Rand, was uint32) uint32 { return was + 1 + r.Uint32N(5) },
	} {
		for _, countsRecords := range []bool{false, true} {
			var s collector.Sequence
			var tally collector.Tally
			r := rand.New(rand.NewPCG(1, 2))
			number := uint32(5)
			for range 20_000 {
				number = next(r, number)
				s.Observe(&tally, numbered(countsRecords, 1+r.IntN(30), number)[0])
			}
			if got := countsOf(&tally); got.records+got.datagrams+got.restarts != 0 {
				t.Errorf("%s, counting records %v: %+v", name, countsRecords, got)
			}
		}
	}
}

// network is what happens to the messages of a simulated exporter.
type network struct {
	loss, twice, late float64
	// unknown is how many messages cannot be decoded.
	unknown float64
	// reboots is how many times the exporter starts anew.
	reboots int
	// numbers says what it counts: "records", "datagrams" or "end" (records up to
	// the end of the message).
	numbers string
	// declared is what its protocol counts.
	countsRecords bool
	hasUptime     bool
}

// TestSequenceTruth: over any network, what is counted is what was lost.
func TestSequenceTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := network{
			loss:          rapid.Float64Range(0, 0.2).Draw(t, "loss"),
			twice:         rapid.Float64Range(0, 0.2).Draw(t, "twice"),
			late:          rapid.SampledFrom([]float64{0, 0.02}).Draw(t, "late"),
			reboots:       rapid.IntRange(0, 3).Draw(t, "reboots"),
			numbers:       rapid.SampledFrom([]string{"records", "datagrams", "end"}).Draw(t, "numbers"),
			countsRecords: rapid.Bool().Draw(t, "protocol counts records"),
			hasUptime:     rapid.Bool().Draw(t, "uptime"),
		}
		seed := rapid.Uint64().Draw(t, "seed")
		got, want := n.run(rand.New(rand.NewPCG(seed, 7)))
		if got != want {
			t.Fatalf("%+v: counts %+v, truly %+v", n, got, want)
		}
		n.unknown = 0.2
		got, want = n.run(rand.New(rand.NewPCG(seed, 7)))
		if got.records > want.records || got.datagrams != want.datagrams || got.restarts > want.restarts {
			t.Fatalf("%+v: counts %+v, truly %+v", n, got, want)
		}
	})
}

// life is how many messages the exporter sends between reboots, and quiet how many
// after each start that nothing happens to, while the collector learns.
const life, quiet = 400, 60

// run sends the messages through the network and gives what was counted and what is
// true, over intervals of a hundred messages.
func (w network) run(r *rand.Rand) (got, truth counts) {
	var s collector.Sequence
	var tally collector.Tally
	seen := 0
	arrive := func(n collector.Numbering) {
		s.Observe(&tally, n)
		if seen++; seen%100 == 0 {
			got = got.plus(countsOf(&tally))
			tally = collector.Tally{}
		}
	}
	uptime := r.Uint32()
	number := r.Uint32()
	if w.reboots > 0 && !w.hasUptime {
		number >>= 1 // a restart just before the wrap looks like a small loss
	}
	for start := range w.reboots + 1 {
		if start > 0 {
			truth.restarts++
			uptime, number = uptime%1000, r.Uint32N(3)
		}
		var held []collector.Numbering // overtaken by one or two others
		overtook := 0
		for i := range life {
			size := 1 + r.IntN(30)
			n := collector.Numbering{
				Number: number, Records: size, RecordsKnown: true, CountsRecords: w.countsRecords,
				Uptime: uptime, HasUptime: w.hasUptime,
			}
			uptime += 500 + r.Uint32N(1000)
			lost := &truth.records
			switch amount := uint64(size); w.numbers {
			case "datagrams":
				number++
				lost, size = &truth.datagrams, 1
			case "end":
				n.Number += uint32(amount)
				number += uint32(amount)
			default:
				number += uint32(amount)
			}
			if r.Float64() < w.unknown {
				n.Records, n.RecordsKnown = 0, false
			}
			disturbed := i > quiet && i < life-quiet
			switch {
			case disturbed && r.Float64() < w.loss:
				*lost += uint64(size)
				continue
			case disturbed && len(held) == 0 && r.Float64() < w.late:
				held, overtook = append(held, n), 0
				truth.late++
				continue
			}
			arrive(n)
			if disturbed && r.Float64() < w.twice {
				arrive(n)
			}
			if overtook++; len(held) > 0 && (overtook == 2 || r.IntN(2) == 0) {
				arrive(held[0])
				held = nil
			}
		}
	}
	// What was given back when the tally had nothing left is taken from the next loss.
	const last = 1000 // still near
	for i := range uint32(last + 1) {
		n := collector.Numbering{Number: number + i, Records: 1, RecordsKnown: true, CountsRecords: w.countsRecords, Uptime: uptime, HasUptime: w.hasUptime}
		if w.numbers == "end" {
			n.Number++
		}
		if i == 0 || i == last {
			arrive(n)
		}
	}
	if w.numbers == "datagrams" {
		truth.datagrams += last - 1
	} else {
		truth.records += last - 1
	}
	got = got.plus(countsOf(&tally))
	return got, truth
}

func (c counts) plus(o counts) counts {
	return counts{c.records + o.records, c.datagrams + o.datagrams, c.late + o.late, c.restarts + o.restarts}
}

// TestSequenceCost: there is one for each domain of each exporter.
func TestSequenceCost(t *testing.T) {
	if size := unsafe.Sizeof(collector.Sequence{}); size > 80 {
		t.Errorf("%d bytes", size)
	}
	var s collector.Sequence
	var tally collector.Tally
	n := collector.Numbering{RecordsKnown: true, Records: 3}
	if each := testing.AllocsPerRun(1000, func() {
		n.Number += 1 + n.Number%3
		s.Observe(&tally, n)
	}); each != 0 {
		t.Errorf("%v allocations", each)
	}
}

func BenchmarkSequence(b *testing.B) {
	var s collector.Sequence
	var tally collector.Tally
	n := collector.Numbering{RecordsKnown: true, Records: 3}
	for b.Loop() {
		n.Number++
		s.Observe(&tally, n)
	}
}
