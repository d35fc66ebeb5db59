package spool

import "math"

// Stats tells what the spool holds, and counts since Open.
type Stats struct {
	Segments int
	Records  int
	Bytes    int64 // of files, and of what is being appended
	// Oldest is the least received_at of all records, Unix ms; math.MaxInt64 without
	// any.
	Oldest int64
	Counters
}

// Counters count losses since Open. They only grow.
type Counters struct {
	// Torn is how many segments ended within a frame, or within their header, and
	// were cut to what was whole. Of what was cut nothing was acknowledged, unless the
	// disk has lost it. TornRecords are those of the cut frames whose header was whole.
	Torn        uint64
	TornRecords uint64
	// CorruptSegments is how many had a damaged header; their files were renamed.
	CorruptSegments uint64
	// CorruptRecords are those of damaged frames; each counts once, however often its
	// segment is read. CorruptBytes are of the same frames, of segments with damaged
	// headers, and of what follows the damaged header of a frame; the records in the
	// latter are known only if it was whole at Open.
	CorruptRecords uint64
	CorruptBytes   uint64
	// Evicted segments and records were lost to make room.
	EvictedSegments uint64
	EvictedRecords  uint64
}

// Stats gives the numbers of this moment.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := Stats{Segments: len(s.segments), Bytes: s.bytes, Oldest: math.MaxInt64, Counters: s.counters}
	for _, g := range s.segments {
		stats.Records += g.records
		stats.Oldest = min(stats.Oldest, g.oldest)
	}
	return stats
}
