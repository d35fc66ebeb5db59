package storage

import (
	"hash/fnv"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"tapwatch/flow"
)

// lane is what waits for one shard. An insertion stays in its lane for good, over
// restarts too: an attempt that seemed to fail may have stored its records, and only the
// shard that has them knows them again.
type lane struct {
	number   int
	open     *insertion // collects; never nil
	openedAt time.Time  // when it got its first record
	failing  bool       // the last attempt to store on the shard failed
	storing  int        // insertions that storers have
}

// openLanes makes the lanes, once it is known how many shards there are.
func (q *queue) openLanes(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for number := range n {
		l := &lane{number: number}
		q.lanes = append(q.lanes, l)
		q.begin(l)
	}
	for _, in := range q.waiting {
		in.lane = laneOf(in.token) % n
	}
	q.notify()
}

// begin makes a new open insertion. The caller has the lock.
func (q *queue) begin(l *lane) {
	token := q.token()
	if l.number > 0 {
		token += laneMark + strconv.Itoa(l.number)
	}
	l.open = &insertion{token: token, lane: l.number, oldest: math.MaxInt64, batch: q.fresh()}
}

// fresh gives an empty batch. The caller has the lock.
func (q *queue) fresh() *flow.Batch {
	last := len(q.spare) - 1
	if last < 0 {
		return &flow.Batch{}
	}
	b := q.spare[last]
	q.spare = q.spare[:last]
	return b
}

// laneMark stands before the number of the lane in a token.
const laneMark = "@"

// laneOf gives the number of the lane that a token names; 0 where it names none.
func laneOf(token string) int {
	number, err := strconv.ParseUint(token[strings.LastIndex(token, laneMark)+1:], 10, 16)
	if err != nil {
		return 0
	}
	return int(number)
}

// seal ends the open insertion, if it has records. The caller has the lock.
func (q *queue) seal(l *lane) {
	if l.open.records == 0 {
		return
	}
	q.disk.seal(l.open.segment)
	q.append(l.open)
	q.begin(l)
	if l.number == q.turn {
		q.turn = (q.turn + 1) % len(q.lanes)
	}
	q.notify()
}

// renew begins another segment for the lane's open insertion, whose own cannot be written:
// what it has is stored as it is. The caller has the lock.
func (q *queue) renew(l *lane) {
	if l.open.records > 0 {
		q.seal(l)
		return
	}
	if g := l.open.segment; g != nil {
		q.disk.discard(g)
		l.open.segment = nil
	}
}

func (q *queue) sealAll() {
	for _, l := range q.lanes {
		q.seal(l)
	}
}

// anyLane gives the lane for records that may be stored on any shard: each shard gets an
// insertion in turn, but for those that fail while another does not. The caller has the
// lock.
func (q *queue) anyLane() int {
	for range q.lanes {
		if !q.lanes[q.turn].failing {
			break
		}
		q.turn = (q.turn + 1) % len(q.lanes)
	}
	return q.turn
}

// attempted notes how the last attempt to store on the lane's shard went.
func (q *queue) attempted(number int, failed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lanes[number]; l.failing != failed {
		l.failing = failed
		q.notify()
	}
}

// splitter parts batches by the shards of their records. Safe for concurrent use.
type splitter struct{ batches sync.Pool }

// split gives the records of b by shard, nil where a shard gets none. What touches a
// protected system goes to the shard that holds its history, all else to other.
func (s *splitter) split(b *flow.Batch, shards, other int) []*flow.Batch {
	parts := make([]*flow.Batch, shards)
	for from := 0; from < b.Len(); {
		shard := shardOf(b, from, shards, other)
		to := from + 1
		for to < b.Len() && shardOf(b, to, shards, other) == shard {
			to++
		}
		if parts[shard] == nil {
			parts[shard], _ = s.batches.Get().(*flow.Batch)
			if parts[shard] == nil {
				parts[shard] = &flow.Batch{}
			}
		}
		parts[shard].AppendRange(b, from, to-from)
		from = to
	}
	return parts
}

// release gives back what split gave.
func (s *splitter) release(parts []*flow.Batch) {
	for _, part := range parts {
		if part != nil {
			part.Reset()
			s.batches.Put(part)
		}
	}
}

// shardOf tells where a record goes. Every collector must come to the same: the shard of
// an asset depends on its name, or without one on its address, and on how many there are.
func shardOf(b *flow.Batch, row, shards, other int) int {
	name, addr := b.SrcAsset[row], &b.SrcAddr[row]
	switch b.AssetEnd[row] {
	case flow.AssetNone:
		return other
	case flow.AssetDst:
		name, addr = b.DstAsset[row], &b.DstAddr[row]
	}
	h := fnv.New64a()
	if name != "" {
		h.Write([]byte(name))
	} else {
		h.Write(addr[:])
	}
	return int(h.Sum64() % uint64(shards))
}
