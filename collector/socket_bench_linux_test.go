package collector

import (
	"hash/maphash"
	"log/slog"
	"net"
	"testing"
	"time"
)

// BenchmarkReceive reads datagrams of 1400 bytes from a socket into the queues, as many
// at once as wait, and takes them out again.
func BenchmarkReceive(b *testing.B) {
	clock := &stepClock{read: time.Now}
	s, err := bind(b.Context(), "127.0.0.1:0", 0, nil, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.conn.Close() }()
	workers := []*worker{{queue: newQueue(1<<30, clock.millis)}, {queue: newQueue(1<<30, clock.millis)}}
	c := &Collector{workers: workers, seed: maphash.MakeSeed()}
	r, err := newReceiver(s, c.dispatcher().dispatch)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.close() }()
	from, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addrPort(s.conn.LocalAddr())))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	payload := make([]byte, 1400)
	spent := make([]*block, len(workers))
	var took time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for range readings {
			if _, err := from.Write(payload); err != nil {
				b.Fatal(err)
			}
		}
		began := time.Now()
		if err := r.receive(); err != nil {
			b.Fatal(err)
		}
		for i, w := range workers {
			for spent[i], _ = w.queue.take(nil); spent[i] != nil; spent[i], _ = w.queue.take(spent[i]) {
				continue
			}
		}
		took += time.Since(began)
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*readings), "ns/datagram")
}
