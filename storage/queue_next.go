package storage

import (
	"context"
	"math"
	"slices"
	"time"

	"tapwatch/flow"
	"tapwatch/storage/spool"
)

// next gives an insertion to store on the shard of the lane, which stays in the queue
// until finish. It waits until one is full or old enough; nil when ctx has ended, or when
// the queue was stopped and nothing is left to be taken.
func (q *queue) next(ctx context.Context, l *lane) *insertion {
	for {
		q.mu.Lock()
		wait := time.Duration(math.MaxInt64)
		if l.open.records > 0 {
			wait = q.cfg.Interval - q.now().Sub(l.openedAt)
		}
		in := q.first(l)
		if in == nil && wait <= 0 {
			if !q.held(l) {
				q.seal(l)
				in = q.first(l)
			} else {
				wait = math.MaxInt64
			}
		}
		if in != nil {
			in.storing = true
			l.storing++
		}
		changed, over := q.changed, q.stopped && !q.held(l)
		q.mu.Unlock()
		if in != nil || over {
			return in
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// held tells whether the lane's other storers wait for the one that has an insertion
// already: while the shard fails, one is enough to see when it is back. The caller has the
// lock.
func (q *queue) held(l *lane) bool { return l.failing && l.storing > 0 }

// first gives the oldest insertion of the lane that nobody stores yet, if there is one to
// be stored now. One that is to be read from disk while memory is full waits until it is
// the lane's only one. The caller has the lock.
func (q *queue) first(l *lane) *insertion {
	if q.held(l) {
		return nil
	}
	for _, in := range q.waiting {
		if in.lane == l.number && !in.storing {
			if in.batch == nil && l.storing > 0 && !q.room(in.records) {
				return nil
			}
			return in
		}
	}
	return nil
}

// read gives the batch of an insertion that next gave, to be read until readDone; nil: it
// is on disk alone.
func (q *queue) read(in *insertion) *flow.Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	in.reading = in.batch != nil
	return in.batch
}

// readDone says that the batch is not read any more.
func (q *queue) readDone(in *insertion) {
	q.mu.Lock()
	defer q.mu.Unlock()
	in.reading = false
	q.notify() // it may be forgotten now
}

// memoryFor gives memory to load an insertion into.
func (q *queue) memoryFor() *flow.Batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.fresh()
}

// loaded says that b has what could be read of the insertion's records from disk.
func (q *queue) loaded(in *insertion, b *flow.Batch, corrupt int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	in.batch, in.corrupt, in.reading = b, corrupt, true
	q.memory += in.records
}

// release gives back what next gave: it is still to be stored.
func (q *queue) release(in *insertion) {
	q.mu.Lock()
	defer q.mu.Unlock()
	in.storing = false
	q.lanes[in.lane].storing--
	q.notify()
}

// alone tells whether no other storer of the lane has an insertion.
func (q *queue) alone(l *lane) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return l.storing == 1
}

// finish removes the insertion that next gave; lost of its records were given up.
// It gives the segment that is not needed any more, if there is one.
func (q *queue) finish(in *insertion, lost int) *spool.Segment {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes[in.lane].storing--
	q.remove(in, lost)
	q.notify()
	return in.segment
}

// remove takes an insertion out of the queue. The caller has the lock.
func (q *queue) remove(in *insertion, lost int) {
	i := slices.Index(q.waiting, in)
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.records -= in.records
	q.lost += uint64(lost)
	if in.batch != nil {
		q.memory -= in.records
		if !in.spilling { // else the spiller still reads it
			q.reuse(in)
		}
	}
}
