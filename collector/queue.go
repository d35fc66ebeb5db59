package collector

import (
	"net/netip"
	"sync"
)

// queue takes messages from the readers to one worker, in blocks. It also knows the
// oldest stamp of what has been received and whose records have not been handed on.
type queue struct {
	now      func() int64 // milliseconds since 1970
	maxBytes int
	// ready has an element when there is something to take.
	ready chan struct{}

	mu sync.Mutex
	// room is told whenever the worker has taken something.
	room sync.Cond
	// first and last are the ends of the list of blocks that wait; the last is filled
	// until the worker takes it.
	first, last *block
	spare       *block // list of empty ones, for reuse
	spares      int
	bytes       int // that the waiting blocks count for
	pushing     int // connections that wait for room
	closed      bool
	// unsent is a stamp no later than that of any message that the worker has taken
	// and not yet handed on; 0 if there is none.
	unsent int64
	// refused counts datagrams that found the queue full.
	refused map[netip.Addr]int
}

// messageBytes is what a message counts for besides its payload: its entry in a
// block, which grows by doubling. Without it a flood of empty datagrams would find no
// bound.
const messageBytes = 128

// maxSpares is how many empty blocks are kept for reuse: what one overflow made is not
// held for ever.
const maxSpares = 4

// maxRefused bounds the exporters that are told apart while a queue overflows.
const maxRefused = 1024

func newQueue(maxBytes int, now func() int64) *queue {
	q := &queue{now: now, maxBytes: maxBytes, ready: make(chan struct{}, 1), refused: make(map[netip.Addr]int)}
	q.room.L = &q.mu
	return q
}

// put queues the datagrams of the list that begins at first. Those that find the queue
// full are counted. It never waits: what the kernel has received must be read.
func (q *queue) put(all []arrival, first int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	most := q.maxBytes
	if q.pushing > 0 {
		// A flood of datagrams must leave room for the connections that wait for it.
		most -= 1<<16 + messageBytes
	}
	for i := first; i >= 0; i = all[i].next {
		a := &all[i]
		size := len(a.payload) + len(a.more)
		if q.bytes+size+messageBytes > most {
			q.refuse(a.from.Addr())
			continue
		}
		q.add(message{from: a.from, at: a.at}, size, a.payload, a.more)
	}
}

// push stamps a message of a connection and queues it. While there is no room it
// waits, and so does the peer in the end. The worker always comes to take something:
// sinks give up some time after the collector was told to stop.
func (q *queue) push(stream Stream, from netip.AddrPort, payload []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.await(len(payload))
	q.add(message{from: from, stream: stream, at: q.now()}, len(payload), payload, nil)
}

// await waits until there is room for a payload of so many bytes. q.mu is held.
func (q *queue) await(size int) {
	q.pushing++
	for q.bytes > 0 && q.bytes+size+messageBytes > q.maxBytes {
		q.room.Wait()
	}
	q.pushing--
}

// end queues the end of a connection that has pushed something, after its last message.
// It waits for room as push does.
func (q *queue) end(stream Stream, from netip.AddrPort) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.await(0)
	q.add(message{from: from, stream: stream, at: q.now(), ends: true}, 0, nil, nil)
}

// add puts a message into the last block, or a new one.
func (q *queue) add(m message, size int, head, tail []byte) {
	if q.last == nil || !q.last.fits(size) {
		b := q.spare
		if b != nil {
			q.spare, b.next = b.next, nil
			q.spares--
		} else {
			b = newBlock()
		}
		if q.last == nil {
			q.first = b
		} else {
			q.last.next = b
		}
		q.last = b
	}
	q.last.add(m, head, tail)
	q.bytes += size + messageBytes
	q.signal()
}

// refuse counts a datagram that found the queue full.
func (q *queue) refuse(addr netip.Addr) {
	if _, known := q.refused[addr]; !known && len(q.refused) >= maxRefused {
		addr = netip.Addr{}
	}
	q.refused[addr]++
	q.signal()
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

// take gives the block that has waited for longest, nil if none waits, and keeps spent
// (which the worker is done with; may be nil) for reuse. closed says that nothing more
// will come.
func (q *queue) take(spent *block) (b *block, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if spent != nil && q.spares < maxSpares {
		spent.reset()
		spent.next, q.spare = q.spare, spent
		q.spares++
	}
	if q.first == nil {
		return nil, q.closed
	}
	b = q.first
	if q.first = b.next; q.first == nil {
		q.last = nil
	}
	b.next = nil
	q.bytes -= b.size()
	if q.unsent == 0 || b.oldest < q.unsent {
		q.unsent = b.oldest
	}
	q.room.Broadcast()
	return b, q.closed
}

// refusals gives what found the queue full since the last call.
func (q *queue) refusals() (refused map[netip.Addr]int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.refused) > 0 {
		refused, q.refused = q.refused, make(map[netip.Addr]int)
	}
	return refused
}

// sent says that the worker has handed on all that it took and that is stamped before
// next; 0: all that it took.
func (q *queue) sent(next int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unsent = next
}

// oldest is a stamp no later than that of any message whose records have not been
// handed on; ok is false if there is none.
func (q *queue) oldest() (at int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at, ok = q.unsent, q.unsent != 0
	// Readers of several sockets fill the blocks: they are in no order of stamps.
	for b := q.first; b != nil; b = b.next {
		if !ok || b.oldest < at {
			at, ok = b.oldest, true
		}
	}
	return at, ok
}

// waitingBytes is how much waits, as QueueBytes counts it.
func (q *queue) waitingBytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}
