package collector

import (
	"math/rand/v2"
	"testing"
)

// TestSequenceQuick: the short way does what the long one does.
func TestSequenceQuick(t *testing.T) {
	taken := 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 6))
		counted, hasUptime, loss, again := unit(r.IntN(int(units))), r.IntN(2) == 0, r.Float64()*0.2, r.Float64()*0.1
		protocol := r.IntN(2) == 0
		var short, long Sequence
		var shortTally, longTally Tally
		number := r.Uint32()
		for i := range uint32(1500) {
			n := Numbering{Number: number, Records: r.IntN(31), RecordsKnown: r.IntN(50) > 0, CountsRecords: protocol, Uptime: i * 1000, HasUptime: hasUptime}
			if n.Records > 0 && r.IntN(20) == 0 {
				n.Options = 1
			}
			size := uint32(n.Records)
			switch counted {
			case byDatagram:
				size = 1
			case byData, dataAfterward:
				size -= uint32(n.Options)
			}
			number += size
			if counted.after() {
				n.Number = number
			}
			if r.Float64() < loss {
				continue
			}
			times := 1
			if r.Float64() < again {
				times = 2
			}
			for range times {
				before := short
				if before.quick(&n) {
					taken++
				}
				short.Observe(&shortTally, n)
				long.observe(&longTally, &n)
				if !hasUptime {
					short.uptime, long.uptime = 0, 0
				}
				if short != long {
					t.Fatalf("seed %d, %+v:\nshort %+v\nlong  %+v", seed, n, short, long)
				}
			}
		}
		if shortTally.LostRecords != longTally.LostRecords || shortTally.LostDatagrams != longTally.LostDatagrams || shortTally.Restarts != longTally.Restarts {
			t.Fatalf("seed %d: the tallies differ", seed)
		}
	}
	if taken < 100_000 {
		t.Errorf("the short way was taken %d times", taken)
	}
}
