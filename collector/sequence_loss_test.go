package collector_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"tapwatch/collector"
)

// stream is n messages of 1 to 30 records, numbered as the protocol says.
func stream(r *rand.Rand, countsRecords bool, n int) []collector.Numbering {
	return streamOf(countsRecords, n, func() int { return 1 + r.IntN(30) })
}

func streamOf(countsRecords bool, n int, records func() int) (all []collector.Numbering) {
	number := uint32(1000)
	for range n {
		m := numbered(countsRecords, records(), number)[0]
		all = append(all, m)
		if countsRecords {
			number += uint32(m.Records)
		} else {
			number++
		}
	}
	return all
}

// TestSequenceLossFromTheStart: what is lost from the first message on is counted as
// soon as the numbers have shown their pattern.
func TestSequenceLossFromTheStart(t *testing.T) {
	patterns := map[string]func(r *rand.Rand, i int) bool{}
	for every := 3; every <= 6; every++ {
		patterns[fmt.Sprintf("each %dth", every)] = func(_ *rand.Rand, i int) bool { return i%every == every-1 }
	}
	for percent := 5; percent <= 45; percent += 5 {
		patterns[fmt.Sprintf("%d %% at random", percent)] = func(r *rand.Rand, _ int) bool { return r.IntN(100) < percent }
	}
	for name, loses := range patterns {
		for _, countsRecords := range []bool{false, true} {
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 3))
				var s collector.Sequence
				var tally collector.Tally
				lost, pending := 0, 0 // pending is lost after the last that arrived
				first := true
				records := func() int { return 1 + r.IntN(30) }
				if seed < 4 { // all the same
					records = func() int { return []int{1, 2, 3, 20}[seed] }
				}
				for i, n := range streamOf(countsRecords, 1000, records) {
					size := 1
					if countsRecords {
						size = n.Records
					}
					if loses(r, i) {
						if !first {
							pending += size
						}
						continue
					}
					first = false
					lost, pending = lost+pending, 0
					s.Observe(&tally, n)
				}
				got := countsOf(&tally)
				counted := int(got.records + got.datagrams)
				if counted > lost || counted < lost*95/100 || got.restarts+got.late != 0 {
					t.Errorf("%s, counting records %v, seed %d: %+v, truly %d", name, countsRecords, seed, got, lost)
				}
			}
		}
	}
}

// TestSequenceSharedByMany: a domain that has a third of a counter's messages or less
// shows no pattern.
func TestSequenceSharedByMany(t *testing.T) {
	wrong := 0
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 4))
		var s collector.Sequence
		var tally collector.Tally
		for _, n := range stream(r, seed%2 == 0, 20_000) {
			if r.IntN(3) == 0 {
				s.Observe(&tally, n)
			}
		}
		if countsOf(&tally) != (counts{}) {
			wrong++
		}
	}
	if wrong > 1 {
		t.Errorf("%d of 100 count something", wrong)
	}
}

// softflowd is what it sent over TCP with one template round in the midst: it numbers
// its data records up to the message's end, and leaves those of options out.
var softflowd = []struct{ number, data, options int }{
	{11, 11, 1}, {15, 4, 0}, {35, 20, 0}, {62, 27, 0}, {78, 16, 0}, {104, 26, 0}, {115, 11, 0}, {119, 4, 0}, {125, 6, 0},
	{133, 8, 0}, {143, 10, 0}, {160, 17, 0}, {187, 27, 0}, {214, 27, 0}, {234, 20, 0}, {260, 26, 0}, {277, 17, 1},
	{304, 27, 0}, {331, 27, 0}, {358, 27, 0}, {385, 27, 0}, {412, 27, 0}, {439, 27, 0}, {466, 27, 0}, {493, 27, 0}, {495, 2, 0},
}

// TestSequenceSoftflowd, which goes on for days: with the options told apart from the
// data, and without.
func TestSequenceSoftflowd(t *testing.T) {
	const rounds, each = 100, 495
	for _, told := range []bool{false, true} {
		for missing := -1; missing < 2*len(softflowd); missing++ {
			var s collector.Sequence
			var tally collector.Tally
			lost := uint64(0)
			for round := range rounds {
				for i, m := range softflowd {
					n := collector.Numbering{Number: uint32(round*each + m.number), Records: m.data + m.options, RecordsKnown: true, CountsRecords: true}
					if told {
						n.Options = m.options
					}
					if missing >= 0 && (round-90)*len(softflowd)+i == missing {
						lost = uint64(m.data)
						continue
					}
					s.Observe(&tally, n)
				}
			}
			got := countsOf(&tally)
			// Which of the two it was that came after a loss cannot be told at once.
			off := int64(got.records) - int64(lost)
			if got.restarts != 0 || got.late != 0 || told && off != 0 || off < -2 || off > 2 || missing < 0 && off != 0 {
				t.Errorf("options told %v, message %d missing: %+v, truly %d", told, missing, got, lost)
			}
		}
	}
}

// TestSequenceOptionsCount: RFC 7011 counts the records of options too.
func TestSequenceOptionsCount(t *testing.T) {
	for _, afterward := range []bool{false, true} {
		var s collector.Sequence
		var tally collector.Tally
		number := uint32(7)
		for i := range 2000 {
			n := collector.Numbering{Number: number, Records: 1 + i*7%30, RecordsKnown: true, CountsRecords: true}
			if i%25 == 24 {
				n.Options = 1
			}
			number += uint32(n.Records)
			if afterward {
				n.Number = number
			}
			if i != 1500 {
				s.Observe(&tally, n)
			}
		}
		if got, want := countsOf(&tally), (counts{records: 1 + 1500*7%30}); got != want {
			t.Errorf("up to the message's end %v: %+v, want %+v", afterward, got, want)
		}
	}
}

// TestSequenceTwoSockets: one domain is sent from two ports and read by two sockets, a
// batch at a time: what comes late is no restart and no loss, but for the last batches.
func TestSequenceTwoSockets(t *testing.T) {
	for _, countsRecords := range []bool{false, true} {
		for depth := 1; depth <= 64; depth *= 2 {
			for _, lockstep := range []bool{false, true} {
				for _, begun := range []bool{false, true} {
					var s collector.Sequence
					var tally collector.Tally
					r := rand.New(rand.NewPCG(uint64(depth), 5))
					var queues [2][]collector.Numbering
					for i, n := range stream(r, countsRecords, 20_000) {
						port := r.IntN(2)
						if lockstep {
							port = i % 2
						}
						if begun && i < 500 { // while it was quiet
							s.Observe(&tally, n)
							continue
						}
						queues[port] = append(queues[port], n)
						if len(queues[port]) < depth {
							continue
						}
						for q := range queues {
							for _, n := range queues[(port+q)%2] {
								s.Observe(&tally, n)
							}
							queues[(port+q)%2] = nil
						}
					}
					got := countsOf(&tally)
					if got.restarts != 0 || got.datagrams > uint64(2*depth) || got.records > uint64(2*depth*30) {
						t.Errorf("counting records %v, depth %d, lockstep %v, begun %v: %+v", countsRecords, depth, lockstep, begun, got)
					}
				}
			}
		}
	}
}
