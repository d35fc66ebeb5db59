package storage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"tapwatch/flow"
)

// errStopped says that the writer takes no more records.
var errStopped = errors.New("the flow writer has stopped")

// queue collects records into insertions and keeps them, in order, until they are
// stored: in memory up to a bound, beyond it on disk. Safe for concurrent use.
type queue struct {
	cfg   Batch
	disk  *disk // nil: nothing goes to disk
	token func() string
	now   func() time.Time

	mu       sync.Mutex
	lanes    []*lane               // none before it is known how many shards there are
	turn     int                   // the lane of records that may be stored on any shard
	waiting  []*insertion          // sealed, the oldest first
	spare    []*flow.Batch         // memory for the next open insertions
	records  int                   // in open and waiting insertions
	memory   int                   // of these in memory
	spilling int                   // insertions that are being written to disk
	adding   map[*flow.Batch]int64 // batches that wait for room, with their oldest
	sealed   uint64                // insertions sealed so far
	lost     uint64                // records given up
	evicted  func(records int)     // is told of records that the spool had no room for
	stopped  bool
	changed  chan struct{} // closed, and replaced, at every change
	splitter splitter
}

// newQueue takes over what an earlier process left on disk.
func newQueue(cfg Batch, d *disk, token func() string) *queue {
	q := &queue{
		cfg: cfg, disk: d, token: token, now: time.Now, evicted: func(int) {},
		adding: map[*flow.Batch]int64{}, changed: make(chan struct{}),
	}
	for _, g := range d.recovered() {
		in := &insertion{token: g.Token(), records: g.Records(), oldest: g.Oldest(), segment: g}
		q.records += in.records
		q.append(in)
	}
	return q
}

// append puts a sealed insertion at the end. The caller has the lock.
func (q *queue) append(in *insertion) {
	q.sealed++
	in.number = q.sealed
	q.waiting = append(q.waiting, in)
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

// add copies the records of b. With a journal they are on disk when it returns. It
// waits while memory is full, while a journal cannot be written, and as long as it is
// not known how many shards there are; an empty queue takes a batch of any size that one
// insert may have.
func (q *queue) add(ctx context.Context, b *flow.Batch) error {
	switch {
	case b.Len() == 0:
		return nil
	case b.Len() > maxInsertRecords:
		return fmt.Errorf("a batch of %d records: one insert takes at most %d", b.Len(), maxInsertRecords)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.adding[b] = oldestReceived(b)
	defer delete(q.adding, b)
	err := q.await(ctx, func() bool { return q.stopped || len(q.lanes) > 0 && q.fits(b.Len()) })
	switch {
	case err != nil:
		return err
	case q.stopped:
		return errStopped
	case len(q.lanes) == 1:
		return q.put(ctx, q.lanes[0], b)
	}
	parts := q.splitter.split(b, len(q.lanes), q.anyLane())
	defer q.splitter.release(parts)
	taken := false
	for number, part := range parts {
		if part == nil {
			continue
		}
		err := q.put(ctx, q.lanes[number], part)
		if err != nil && taken && !q.stopped {
			// What was taken cannot be given back: the rest stays in memory, without its
			// journal, rather than that a part is stored of what counts as refused.
			q.take(q.lanes[number], part)
			err = nil
		}
		if err != nil {
			return err
		}
		taken = true
	}
	return nil
}

// put copies the records of b into the open insertion of a lane. The caller has the
// lock, which is given up while a journal cannot be written.
func (q *queue) put(ctx context.Context, l *lane, b *flow.Batch) error {
	if l.open.records+b.Len() > maxInsertRecords {
		q.seal(l)
	}
	if q.disk.journals() {
		if err := q.journal(ctx, l, b, oldestReceived(b)); err != nil {
			return err
		}
	}
	q.take(l, b)
	return nil
}

// take copies the records of b into the memory of the open insertion. The caller has the
// lock.
func (q *queue) take(l *lane, b *flow.Batch) {
	first := l.open.records == 0
	if first {
		l.openedAt = q.now()
	}
	l.open.batch.Append(b)
	l.open.oldest = min(l.open.oldest, oldestReceived(b))
	l.open.records += b.Len()
	q.records += b.Len()
	q.memory += b.Len()
	if l.open.records >= q.cfg.Records {
		q.seal(l)
	} else if first {
		q.notify() // the sender has a deadline now
	}
}

// journalPause is how long a journal that cannot be written is left alone.
const journalPause = time.Second

// journal writes the records of b to the segment of the lane's open insertion, again
// and again until it is done, ctx has ended or the queue was stopped. The caller has the
// lock, and has it again afterwards.
func (q *queue) journal(ctx context.Context, l *lane, b *flow.Batch, oldest int64) error {
	for tries := 1; !q.stopped; tries++ {
		evicted, err := q.disk.journal(l.open, b, oldest)
		if evicted {
			q.dropEvicted()
		}
		if err == nil {
			return nil
		}
		q.disk.complain(err)
		if tries%5 == 0 {
			q.renew(l) // it may be the file
		}
		q.mu.Unlock()
		pause := time.NewTimer(journalPause)
		select {
		case <-pause.C:
			q.mu.Lock()
		case <-ctx.Done():
			pause.Stop()
			q.mu.Lock()
			return errors.Join(context.Cause(ctx), err)
		}
	}
	return errStopped
}

// stop ends taking records and seals what there is.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.sealAll()
	q.notify()
}

// rest empties the stopped queue and gives what was left in it.
func (q *queue) rest() []*insertion {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.waiting
	q.waiting, q.records, q.memory = nil, 0, 0
	q.notify()
	return left
}

// flush seals what was added so far and waits until it is finished. It tells how
// many records were given up meanwhile.
func (q *queue) flush(ctx context.Context) (lost uint64, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sealAll()
	target, before := q.sealed, q.lost
	err = q.await(ctx, func() bool { return len(q.waiting) == 0 || q.waiting[0].number > target })
	return q.lost - before, err
}

// oldest is the least received_at of all records added, or being added, and not
// finished; ok is false when there are none.
func (q *queue) oldest() (ms int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ms = math.MaxInt64
	for _, l := range q.lanes {
		ms = min(ms, l.open.oldest)
	}
	for _, oldest := range q.adding {
		ms = min(ms, oldest)
	}
	for _, in := range q.waiting {
		ms = min(ms, in.oldest)
	}
	return ms, ms != math.MaxInt64
}

// size is how many records wait.
func (q *queue) size() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.records
}
