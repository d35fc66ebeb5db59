package collector

import (
	"testing"
	"time"
)

// TestEmptyDatagramsFillTheQueue: what a datagram costs besides its payload counts.
func TestEmptyDatagramsFillTheQueue(t *testing.T) {
	const room = 1 << 16
	q := newQueue(room, time.Now)
	taken := 0
	for q.put(port(addr(1)), new([]byte)) {
		if taken++; taken > room {
			t.Fatal("the queue never gets full")
		}
	}
	if taken > room/100 || q.waitingBytes() > room {
		t.Errorf("%d empty datagrams wait in %d bytes", taken, q.waitingBytes())
	}
	_, refused, _ := q.take(nil)
	if refused[addr(1)] != 1 || !q.put(port(addr(1)), new([]byte)) {
		t.Errorf("refused %v", refused)
	}
}

// TestLargeSliceIsNotKept: after an overflow the queue is as small as before.
func TestLargeSliceIsNotKept(t *testing.T) {
	q := newQueue(1<<30, time.Now)
	for range maxSpent + 1 {
		q.put(port(addr(1)), new([]byte))
	}
	large, _, _ := q.take(make([]received, 0, 64))
	if len(large) != maxSpent+1 || cap(q.waiting) != 64 {
		t.Errorf("took %d; room for %d is kept, want the spent 64", len(large), cap(q.waiting))
	}
	if q.take(large); cap(q.waiting) > maxSpent {
		t.Errorf("room for %d is kept", cap(q.waiting))
	}
}
