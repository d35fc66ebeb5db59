package collector

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
)

// putAt queues datagrams as a reader does, with the given stamps.
func putAt(q *queue, from netip.AddrPort, payload []byte, stamps ...int64) {
	all := make([]arrival, len(stamps))
	for i, at := range stamps {
		all[i] = arrival{from: from, at: at, payload: payload, next: i + 1}
	}
	all[len(all)-1].next = -1
	q.put(all, 0)
}

func noTime() int64 { return 0 }

// TestEmptyDatagramsFillTheQueue: what a datagram costs besides its payload counts.
func TestEmptyDatagramsFillTheQueue(t *testing.T) {
	const room, sent = 1 << 16, 1000
	q := newQueue(room, noTime)
	for range sent {
		putAt(q, port(addr(1)), nil, 1)
	}
	if q.waitingBytes() > room {
		t.Errorf("%d bytes wait", q.waitingBytes())
	}
	b, _ := q.take(nil)
	refused := q.refusals()
	if taken := len(b.messages); taken != room/messageBytes || refused[addr(1)] != sent-taken {
		t.Errorf("%d empty datagrams waited, refused %v", taken, refused)
	}
	putAt(q, port(addr(1)), nil, 1)
	if b, _ = q.take(b); len(b.messages) != 1 || q.refusals() != nil || q.waitingBytes() != 0 {
		t.Errorf("%d messages, refused %v, %d bytes", len(b.messages), refused, q.waitingBytes())
	}
}

// TestBlocksAreReused: after an overflow the queue keeps no more than before, and what
// it keeps is used again.
func TestBlocksAreReused(t *testing.T) {
	q := newQueue(1<<30, noTime)
	payload := make([]byte, 1<<16-1)
	for range 100 {
		putAt(q, port(addr(1)), payload, 1)
	}
	var b *block
	blocks, messages := 0, 0
	for {
		if b, _ = q.take(b); b == nil {
			break
		}
		blocks++
		messages += len(b.messages)
	}
	if messages != 100 || blocks != 100/4 || q.spares != maxSpares {
		t.Errorf("%d messages in %d blocks, %d are kept", messages, blocks, q.spares)
	}
	if n := testing.AllocsPerRun(100, func() {
		q.put([]arrival{{payload: payload, next: -1}}, 0)
		b, _ = q.take(b)
	}); n > 0 {
		t.Errorf("%v allocations a datagram", n)
	}
}

// TestQueueOrder: messages come as they were put, whatever lies between them, with the
// payloads they had.
func TestQueueOrder(t *testing.T) {
	q := newQueue(1<<30, noTime)
	var want, got []string
	for i := range 5000 {
		name := fmt.Sprint(i)
		half := len(name) / 2
		want = append(want, name)
		switch {
		case i%7 == 0:
			q.push(3, port(addr(1)), []byte(name))
		default:
			q.put([]arrival{{from: port(addr(1)), payload: []byte(name[:half]), more: []byte(name[half:]), next: -1}}, 0)
		}
	}
	q.end(3, port(addr(1)))
	var b *block
	ended := false
	for b, _ = q.take(nil); b != nil; b, _ = q.take(b) {
		for i := range b.messages {
			if m := &b.messages[i]; m.ends {
				ended = m.stream == 3
			} else {
				got = append(got, string(b.payload(m)))
			}
		}
	}
	if !slices.Equal(got, want) || !ended {
		t.Errorf("%d messages of %d, or not in their order; end: %t", len(got), len(want), ended)
	}
}

// TestOldest: the queue knows the oldest stamp, in whatever order they come, until its
// records are handed on.
func TestOldest(t *testing.T) {
	q := newQueue(1<<30, noTime)
	check := func(when string, want int64) {
		t.Helper()
		if at, ok := q.oldest(); at != want || ok != (want != 0) {
			t.Errorf("%s: oldest %d, %t; want %d", when, at, ok, want)
		}
	}
	check("empty", 0)
	large := bytes.Repeat([]byte{1}, blockBytes/2+1) // one a block
	putAt(q, port(addr(1)), large, 50, 30)
	check("waiting", 30)
	first, _ := q.take(nil)
	check("the first taken", 30)
	second, _ := q.take(nil)
	check("both taken", 30)
	q.sent(second.oldest)
	check("the first handed on", 30)
	q.sent(0)
	check("both handed on", 0)
	putAt(q, port(addr(1)), large, 20)
	check("a late one", 20)
	if first.oldest != 50 {
		t.Errorf("first block: %d", first.oldest)
	}
}

// TestConnectionsWait: a message of a connection waits for room; a flood of datagrams
// does not take it.
func TestConnectionsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 4 << 16
		q := newQueue(room, noTime)
		payload := make([]byte, 1000)
		flood := func() {
			for range room / 1000 {
				putAt(q, port(addr(1)), payload, 1)
			}
		}
		flood()
		pushed := false
		go func() {
			q.push(1, port(addr(2)), make([]byte, 1<<16-1))
			pushed = true
		}()
		synctest.Wait()
		if pushed {
			t.Fatal("pushed into a full queue")
		}
		q.take(nil)
		flood() // before the connection's turn
		synctest.Wait()
		if !pushed || q.waitingBytes() > room {
			t.Errorf("pushed: %t; %d bytes wait", pushed, q.waitingBytes())
		}
		// The longest message fits the smallest queue that may be set.
		q = newQueue(1<<16, noTime)
		q.push(1, port(addr(2)), make([]byte, 1<<16-1))
		if b, _ := q.take(nil); len(b.messages) != 1 {
			t.Error("the message is lost")
		}
	})
}

// TestEndsWait: the end of a connection takes room as a message does; nobody may make the
// queue grow by connecting again and again.
func TestEndsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room, ends = 1 << 16, 3 * 1 << 16 / messageBytes
		q := newQueue(room, noTime)
		for i := range ends {
			go q.end(Stream(i+1), port(addr(1)))
		}
		synctest.Wait()
		if n := q.waitingBytes(); n > room {
			t.Errorf("%d bytes wait", n)
		}
		taken := 0
		for b, _ := q.take(nil); b != nil; b, _ = q.take(b) {
			taken += len(b.messages)
			synctest.Wait()
		}
		if taken != ends {
			t.Errorf("%d ends of %d", taken, ends)
		}
	})
}

// TestRefusedAreBounded: a flood of made-up addresses is counted together.
func TestRefusedAreBounded(t *testing.T) {
	q := newQueue(1<<16, noTime)
	q.push(1, port(addr(0)), make([]byte, 1<<16-1))
	for n := range maxRefused + 10 {
		putAt(q, port(addr(n)), nil, 1)
	}
	if refused := q.refusals(); refused[netip.Addr{}] != 10 || len(refused) != maxRefused+1 {
		t.Errorf("%d told apart, %d together", len(refused)-1, refused[netip.Addr{}])
	}
}
