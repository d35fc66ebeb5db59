package storage

import (
	"context"
	"slices"

	"tapwatch/storage/spool"
)

// room tells whether memory takes n more records.
func (q *queue) room(n int) bool { return q.memory == 0 || q.memory+n <= q.cfg.QueueRecords }

// fits tells whether memory has room for n records, and makes it where what lies there
// is on disk too. Where nothing is, and nothing can go there, it ends the largest open
// insertion, which can. The caller has the lock.
func (q *queue) fits(n int) bool {
	for {
		for i := len(q.waiting) - 1; i >= 0 && !q.room(n); i-- {
			q.forget(q.waiting[i])
		}
		switch {
		case q.room(n):
			return true
		case q.disk == nil || q.spilling > 0 || q.spillable() != nil:
			return false
		}
		largest := slices.MaxFunc(q.lanes, func(a, b *lane) int { return a.open.records - b.open.records })
		if largest.open.records == 0 {
			return false
		}
		q.seal(largest)
	}
}

// forget frees the memory of an insertion whose records are on disk, unless they are
// being read. The caller has the lock.
func (q *queue) forget(in *insertion) {
	if in.batch == nil || in.reading || in.spilling || !in.onDisk() {
		return
	}
	q.memory -= in.records
	q.reuse(in)
}

// reuse keeps the memory of an insertion for the next: one for each lane is enough.
func (q *queue) reuse(in *insertion) {
	if len(q.spare) < len(q.lanes) {
		in.batch.Reset()
		q.spare = append(q.spare, in.batch)
	}
	in.batch = nil
}

// dropEvicted sees to the insertions that the spool had no room for. Those in memory too
// may go to disk again; the others are lost. The caller has the lock.
func (q *queue) dropEvicted() {
	for _, in := range slices.Clone(q.waiting) {
		if in.segment == nil || !in.segment.Evicted() {
			continue
		}
		switch {
		case in.batch != nil:
			in.segment = nil
		case !in.storing: // else the storer finds out
			q.evicted(in.records)
			q.remove(in, in.records)
		}
	}
	q.notify()
}

// victim gives an insertion that is in memory alone and should go to disk, when memory is
// nearly full. It waits until there is one; nil when ctx has ended.
func (q *queue) victim(ctx context.Context) *insertion {
	q.mu.Lock()
	defer q.mu.Unlock()
	var in *insertion
	err := q.await(ctx, func() bool {
		if q.memory >= q.cfg.QueueRecords/4*3 {
			in = q.spillable()
		}
		return in != nil
	})
	if err != nil {
		return nil
	}
	in.spilling = true
	q.spilling++
	return in
}

// spillable gives the latest insertion of the lane that has most in memory alone, for that
// one lags behind. One that is just being stored may go to disk too: it may take long, and
// its memory is free after the attempt. The caller has the lock.
func (q *queue) spillable() (latest *insertion) {
	inMemory := func(in *insertion) bool { return in.batch != nil && !in.spilling && !in.onDisk() }
	records := map[int]int{}
	for _, in := range q.waiting {
		if inMemory(in) {
			records[in.lane] += in.records
		}
	}
	for _, in := range q.waiting {
		if inMemory(in) && (latest == nil || records[in.lane] >= records[latest.lane]) {
			latest = in
		}
	}
	return latest
}

// spilled takes the insertion back that victim gave, with the segment that has its
// records; nil: they could not be written. It tells whether the segment is still wanted.
func (q *queue) spilled(in *insertion, g *spool.Segment, evicted bool) (wanted bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	in.spilling = false
	q.spilling--
	if wanted = slices.Contains(q.waiting, in); wanted && g != nil {
		in.segment = g
		q.forget(in)
	}
	if evicted {
		q.dropEvicted()
	}
	q.notify()
	return wanted
}
