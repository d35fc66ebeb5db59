package spool

import (
	"fmt"
	"os"
	"slices"
)

// Evicted is what was lost to make room.
type Evicted struct {
	Segments int
	Records  int
	Bytes    int64 // of files
}

// reserve makes room for n more bytes. When evicting all that may go would not do, it
// evicts nothing and fails with ErrFull. The caller has the lock.
func (s *Spool) reserve(n int64) (evicted Evicted, err error) {
	victims, ok := s.victims(n)
	if !ok {
		return evicted, fmt.Errorf("%w: %d bytes more than the %d there are would pass max_bytes, %d, and no sealed segment is idle that could go",
			ErrFull, n, s.bytes, s.cfg.MaxBytes)
	}
	for _, g := range victims {
		if err := s.drop(g, stateEvicted); err != nil {
			return evicted, fmt.Errorf("evict a segment: %w", err)
		}
		evicted.Segments++
		evicted.Records += g.records
		evicted.Bytes += g.size
		s.counters.EvictedSegments++
		s.counters.EvictedRecords += uint64(g.records)
	}
	s.bytes += n
	return evicted, nil
}

// victims are the oldest segments that have to go for n more bytes; ok is false when
// that cannot be. The caller has the lock.
func (s *Spool) victims(n int64) (victims []*Segment, ok bool) {
	if s.cfg.MaxBytes == 0 {
		return nil, true
	}
	over := s.bytes + n - s.cfg.MaxBytes
	for _, g := range s.segments {
		if over <= 0 {
			break
		}
		if g.state == stateSealed && g.readers == 0 {
			victims = append(victims, g)
			over -= g.size
		}
	}
	return victims, over <= 0
}

// drop deletes the file of the segment and gives the segment its last state. When the
// file cannot be deleted the segment stays as it is. The caller has the lock, so that
// nobody sees the room before it is there.
func (s *Spool) drop(g *Segment, last state) error {
	if err := notThere(os.Remove(s.path(g.name))); err != nil {
		return err
	}
	s.unlist(g, last)
	return nil
}

// unlist takes the segment, which has no file any more, off the books. The caller has
// the lock.
func (s *Spool) unlist(g *Segment, last state) {
	g.state = last
	s.bytes -= g.size
	s.segments = slices.DeleteFunc(s.segments, func(other *Segment) bool { return other == g })
}
