package collector

import (
	"net/netip"
	"sync"
	"time"
)

// received is one datagram on its way from a socket to a worker.
type received struct {
	from    netip.AddrPort
	at      time.Time
	payload *[]byte // from buffers
}

// queue takes datagrams from the readers to one worker. It also knows the oldest
// that has been received and whose records have not been handed on: stamping and
// queueing is one step, under the lock that Watermark takes too.
type queue struct {
	now      func() time.Time
	maxBytes int
	// ready has an element when there is something to take.
	ready chan struct{}

	mu      sync.Mutex
	waiting []received
	bytes   int // that waiting counts for
	closed  bool
	// unsent is the stamp of the oldest datagram that the worker has taken and not
	// yet handed on; zero if there is none.
	unsent time.Time
	// refused counts datagrams that found the queue full.
	refused map[netip.Addr]int
}

// datagramBytes is what a datagram counts for besides its payload: its entry in
// waiting, which grows by doubling, and its buffer's header. Without it a flood of
// empty datagrams would find no bound.
const datagramBytes = 128

// maxSpent is the longest slice that is kept for reuse: what one overflow made
// large is not held for ever.
const maxSpent = 1 << 14

// maxRefused bounds the exporters that are told apart while a queue overflows.
const maxRefused = 1024

func newQueue(maxBytes int, now func() time.Time) *queue {
	return &queue{now: now, maxBytes: maxBytes, ready: make(chan struct{}, 1), refused: make(map[netip.Addr]int)}
}

// put stamps the datagram and queues it; false if the queue is full.
func (q *queue) put(from netip.AddrPort, payload *[]byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := cap(*payload) + datagramBytes
	if q.bytes+size > q.maxBytes {
		addr := from.Addr()
		if _, known := q.refused[addr]; !known && len(q.refused) >= maxRefused {
			addr = netip.Addr{}
		}
		q.refused[addr]++
		return false
	}
	q.bytes += size
	q.waiting = append(q.waiting, received{from: from, at: q.now(), payload: payload})
	q.signal()
	return true
}

// close tells the worker that no more will come.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take gives all that waits, in the order of their stamps, and keeps spent (which
// the worker is done with) for reuse unless it is large. refused is what found the queue full since
// the last take. closed says that nothing more will come.
func (q *queue) take(spent []received) (all []received, refused map[netip.Addr]int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(spent) > maxSpent {
		spent = nil
	}
	all, q.waiting = q.waiting, spent[:0]
	q.bytes = 0
	if q.unsent.IsZero() && len(all) > 0 {
		q.unsent = all[0].at
	}
	if len(q.refused) > 0 {
		refused, q.refused = q.refused, make(map[netip.Addr]int)
	}
	return all, refused, q.closed
}

// sent says that the worker has handed on all that it took before the stamp next;
// zero: all that it took.
func (q *queue) sent(next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsent = next
}

// watermark is a time before which every datagram that was received for this
// worker has had its records handed on.
func (q *queue) watermark() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !q.unsent.IsZero():
		return q.unsent
	case len(q.waiting) > 0:
		return q.waiting[0].at
	}
	return q.now()
}

// waitingBytes is how much waits, as QueueBytes counts it.
func (q *queue) waitingBytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// stepClock gives whole milliseconds, as they are stored, and never goes back: a
// clock set back would stamp records into detection windows that are over. It is
// safe for concurrent use.
type stepClock struct {
	read func() time.Time
	mu   sync.Mutex
	last time.Time
}

func (c *stepClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Round strips the monotonic reading, so that stamps compare as they are stored.
	if t := c.read().Round(0).Truncate(time.Millisecond); t.After(c.last) {
		c.last = t
	}
	return c.last
}
