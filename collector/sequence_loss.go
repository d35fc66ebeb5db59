package collector

import (
	"math"
	"slices"
)

// skip counts the numbers up to start as lost.
func (s *Sequence) skip(t *Tally, start uint32) {
	s.addHole(s.next, start)
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
	if !s.is(proven) {
		return
	}
	lost := &t.LostRecords
	if s.unit == byDatagram {
		lost = &t.LostDatagrams
	}
	if s.balance >= 0 {
		*lost += uint64(s.balance)
		s.balance = 0
		return
	}
	back := min(uint64(-int64(s.balance)), *lost)
	*lost -= back
	s.balance += int32(back)
}

// addHole remembers the numbers from start up to end; of a very large hole the end.
func (s *Sequence) addHole(start, end uint32) {
	if end-start > math.MaxUint16 {
		start = end - math.MaxUint16
	}
	// The oldest gives way where none is used up.
	gone := max(slices.Index(s.holeLength[:], 0), 0)
	if gone == 0 && s.holeLength[0] > 0 {
		gone = len(s.holeLength) - 1
	}
	copy(s.holeStart[1:gone+1], s.holeStart[:gone])
	copy(s.holeLength[1:gone+1], s.holeLength[:gone])
	s.holeStart[0], s.holeLength[0] = start, uint16(end-start)
}

// fill takes a message that was skipped, and gives back what it counted for. It says
// whether n is one.
func (s *Sequence) fill(t *Tally, n Numbering) bool {
	start, end, whole := s.unit.span(n)
	within := start
	if s.unit == afterward && !whole {
		within = end - 1
	}
	for i := range s.holeStart {
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
		if s.is(proven) {
			t.LateDatagrams++
			s.raise()
		}
		s.owe(t, -int64(end-start))
		return true
	}
	return false
}
