package storage

import (
	"tapwatch/flow"
	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// maxInsertRecords is how many rows an insert has at most: so many ClickHouse takes as one
// block, and fit into a frame of the spool.
const maxInsertRecords = native.PieceRows

// insertion is a batch of records that becomes one insert, and one block of it:
// ClickHouse knows an insert again by its token and the numbers of its blocks, so that
// both must be the same at every attempt, before and after a restart. Its records are
// in memory, in a segment of the spool, or in both.
type insertion struct {
	number  uint64 // in the order of sealing, from 1
	lane    int
	token   string
	records int
	oldest  int64 // least received_at, Unix ms
	batch   *flow.Batch
	segment *spool.Segment
	corrupt int // records of the segment that could not be read

	storing  bool // a storer has it, for as long as it takes
	reading  bool // its batch is being read by the storer: it must stay in memory
	spilling bool // its batch is being written to the spool
}

// onDisk tells whether the spool has its records.
func (in *insertion) onDisk() bool { return in.segment != nil && !in.segment.Evicted() }
