package collector

import (
	"math"
	"slices"
)

// skip counts the numbers up to start as lost.
func (s *Sequence) skip(t *Tally, start uint32) {
	if s.unit == byDatagram {
		s.markMissing(s.next, start)
	} else {
		s.addHole(s.next, start)
	}
	s.lower()
	s.owe(t, int64(start-s.next))
}

// owe adds to what the tally must be told.
func (s *Sequence) owe(t *Tally, lost int64) {
	s.balance = int32(min(max(int64(s.balance)+lost, math.MinInt32), math.MaxInt32))
	s.settle(t)
}

// settle tells the tally what it can.
func (s *Sequence) settle(t *Tally) {
	lost := &t.LostRecords
	if s.unit == byDatagram {
		lost = &t.LostDatagrams
	}
	switch {
	case s.balance < 0:
		back := min(uint64(-int64(s.balance)), *lost)
		*lost -= back
		s.balance += int32(back)
	case s.is(proven):
		*lost += uint64(s.balance)
		s.balance = 0
	}
}

// window is how many datagrams back it is known of each whether it is missing.
const window = 32 * holes

// missing gives the word and the bit that say whether a datagram is missing.
func (s *Sequence) missing(number uint32) (word *uint32, bit uint32) {
	return &s.holeStart[number%window/32], 1 << (number % 32)
}

// markMissing remembers the datagrams from start up to end; of many the latest.
func (s *Sequence) markMissing(start, end uint32) {
	if end-start > window {
		start = end - window
	}
	for ; start != end; start++ {
		word, bit := s.missing(start)
		*word |= bit
	}
}

// oldest is the hole that stands for all that there is no room for: it begins where the
// first of them does, and its length is how much of them is still missing.
const oldest = holes - 1

// addHole remembers the records from start up to end; of a very large hole the end.
func (s *Sequence) addHole(start, end uint32) {
	if end-start > math.MaxUint16 {
		start = end - math.MaxUint16
	}
	// The oldest gives way where none is used up.
	gone := slices.Index(s.holeLength[:oldest], 0)
	if gone < 0 {
		gone = oldest - 1
		s.blur(s.holeStart[gone], uint32(s.holeLength[gone]))
	}
	copy(s.holeStart[1:gone+1], s.holeStart[:gone])
	copy(s.holeLength[1:gone+1], s.holeLength[:gone])
	s.holeStart[0], s.holeLength[0] = start, uint16(end-start)
}

// blur adds a hole to the oldest, of which it leaves what is recent.
func (s *Sequence) blur(start, length uint32) {
	first, all := s.holeStart[oldest], uint32(s.holeLength[oldest])
	if all == 0 || int32(start-first) < 0 {
		first = start
	}
	all += length
	if back, recent := s.next-first, uint32(s.unit.recent()); back > recent {
		first = s.next - recent
		all = uint32(uint64(all) * uint64(recent) / uint64(back))
	}
	s.holeStart[oldest], s.holeLength[oldest] = first, uint16(min(all, math.MaxUint16))
}

// fill takes a message that was skipped, and gives back what it counted for. It says
// whether n is one.
func (s *Sequence) fill(t *Tally, n *Numbering) bool {
	if s.unit == byDatagram {
		word, bit := s.missing(n.Number)
		if s.next-n.Number > window || *word&bit == 0 {
			return false
		}
		*word &^= bit
		s.giveBack(t, 1)
		return true
	}
	start, end, whole := s.unit.span(n)
	within := start
	if s.unit.after() && !whole {
		within = end - 1
	}
	for i := range oldest {
		from, length := s.holeStart[i], uint32(s.holeLength[i])
		if within-from >= length {
			continue
		}
		// One whose records are not known may have been all that was skipped.
		switch {
		case within != start:
			start = from
		case !whole || end-from > length:
			end = from + length
		}
		s.holeLength[i] = uint16(start - from)
		if rest := from + length - end; rest > 0 {
			s.addHole(end, end+rest)
		}
		s.giveBack(t, int64(end-start))
		return true
	}
	size, left := end-start, uint32(s.holeLength[oldest])
	if size == 0 || size > left || s.next-start > s.next-s.holeStart[oldest] || int32(end-s.next) > 0 {
		return false
	}
	s.holeLength[oldest] = uint16(left - size)
	s.giveBack(t, int64(size))
	return true
}

// giveBack is for a message that came late.
func (s *Sequence) giveBack(t *Tally, lost int64) {
	if s.is(proven) {
		t.LateDatagrams++
		s.raise()
	}
	s.owe(t, -lost)
}
