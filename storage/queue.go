package storage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"tapwatch/flow"
	"tapwatch/storage/spool"
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
