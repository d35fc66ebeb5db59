package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"sync"
	"time"

	"tapwatch/flow"
)

// errStopped says that the writer takes no more records.
var errStopped = errors.New("the flow writer has stopped")

// insertion is a batch that is ready to be inserted.
type insertion struct {
	batch  *flow.Batch
	token  string // the same for every attempt to insert it
	oldest int64
}

// queue collects records into batches and keeps them until they are stored. Safe
// for concurrent use.
type queue struct {
	cfg Batch
	now func() time.Time

	mu         sync.Mutex
	open       *flow.Batch // collects; never nil
	openedAt   time.Time   // when it got its first record
	openOldest int64       // its least received_at, while it has records
	sealed     []insertion // the oldest first; the first may be on its way
	spare      *flow.Batch // memory for the next open batch, or nil
	records    int         // in open and sealed
	waiting    map[*flow.Batch]int64
	added      uint64 // insertions sealed so far
	finished   uint64 // insertions of these that are stored or given up
	lost       uint64 // records given up
	stopped    bool
	changed    chan struct{} // closed, and replaced, at every change
}

func newQueue(cfg Batch) *queue {
	return &queue{
		cfg: cfg, now: time.Now,
		open:    &flow.Batch{},
		waiting: map[*flow.Batch]int64{}, changed: make(chan struct{}),
	}
}

// notify wakes everybody who waits for a change. The caller has the lock.
func (q *queue) notify() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// await returns when condition is true, which is asked at every change, or with an
// error when ctx ends. The caller has the lock, and has it again afterwards.
func (q *queue) await(ctx context.Context, condition func() bool) error {
	for !condition() {
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
			q.mu.Lock()
		case <-ctx.Done():
			q.mu.Lock()
			return context.Cause(ctx)
		}
	}
	return nil
}

// add copies the records of b. It waits while the queue is full; an empty queue
// takes a batch of any size.
func (q *queue) add(ctx context.Context, b *flow.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	oldest := oldestReceived(b)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting[b] = oldest
	err := q.await(ctx, func() bool {
		return q.stopped || q.records == 0 || q.records+b.Len() <= q.cfg.QueueRecords
	})
	delete(q.waiting, b)
	switch {
	case err != nil:
		return err
	case q.stopped:
		return errStopped
	}
	first := q.open.Len() == 0
	if first {
		q.openedAt, q.openOldest = q.now(), oldest
	}
	q.openOldest = min(q.openOldest, oldest)
	q.open.Append(b)
	q.records += b.Len()
	if q.open.Len() >= q.cfg.Records {
		q.seal()
	} else if first {
		q.notify() // the sender has a deadline now
	}
	return nil
}

// seal ends the open batch, if it has records. The caller has the lock.
func (q *queue) seal() {
	if q.open.Len() == 0 {
		return
	}
	q.sealed = append(q.sealed, insertion{q.open, rand.Text(), q.openOldest})
	q.added++
	q.open, q.spare = q.spare, nil
	if q.open == nil {
		q.open = &flow.Batch{}
	}
	q.notify()
}

// next gives the batch to insert, which stays in the queue until finish. It waits
// until one is full or old enough; ok is false when ctx has ended.
func (q *queue) next(ctx context.Context) (batch insertion, ok bool) {
	for {
		q.mu.Lock()
		wait := time.Duration(math.MaxInt64)
		if q.open.Len() > 0 {
			wait = q.cfg.Interval - q.now().Sub(q.openedAt)
		}
		if len(q.sealed) == 0 && wait <= 0 {
			q.seal()
		}
		if len(q.sealed) > 0 {
			first := q.sealed[0]
			q.mu.Unlock()
			return first, true
		}
		changed := q.changed
		q.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return insertion{}, false
		}
		timer.Stop()
	}
}

// finish removes the batch that next gave.
func (q *queue) finish(stored bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.sealed[0].batch
	q.sealed = q.sealed[1:]
	q.records -= b.Len()
	q.finished++
	if !stored {
		q.lost += uint64(b.Len())
	}
	b.Reset()
	q.spare = b
	q.notify()
}

// stop ends taking records and seals what there is.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.seal()
	q.notify()
}

// giveUp empties the stopped queue and tells how many records it held.
func (q *queue) giveUp() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	records := q.records
	q.lost += uint64(records)
	q.finished = q.added
	q.sealed, q.records = nil, 0
	q.notify()
	return records
}

// flush seals what was added so far and waits until it is finished. It tells how
// many records were given up meanwhile.
func (q *queue) flush(ctx context.Context) (lost uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.seal()
	target, before := q.added, q.lost
	err = q.await(ctx, func() bool { return q.finished >= target })
	return q.lost - before, err
}

// oldest is the least received_at of all records added, or being added, and not
// finished; ok is false when there are none.
func (q *queue) oldest() (ms int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ms = math.MaxInt64
	for _, oldest := range q.waiting {
		ms = min(ms, oldest)
	}
	for i := range q.sealed {
		ms = min(ms, q.sealed[i].oldest)
	}
	if q.open.Len() > 0 {
		ms = min(ms, q.openOldest)
	}
	return ms, ms != math.MaxInt64
}

// size is how many records wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.records
}
