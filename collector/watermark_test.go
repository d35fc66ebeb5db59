package collector_test

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
)

// TestWatermarkHolds: no record comes to the sink that is older than a watermark
// seen before.
func TestWatermarkHolds(t *testing.T) {
	payload, records := netflow5(t)
	var seen atomic.Int64
	var late atomic.Int64
	var s sink
	s.before = func(_ context.Context, b *flow.Batch) error {
		low := seen.Load()
		for _, at := range b.ReceivedAt {
			if at < low {
				late.Add(1)
			}
		}
		return nil
	}
	v := start(t, &s, func(c *collector.Config) {
		c.FlushInterval = time.Millisecond
		c.BatchRecords = 7
	})
	ctx, cancel := context.WithCancel(context.Background())
	var polling sync.WaitGroup
	polling.Go(func() {
		for ctx.Err() == nil {
			seen.Store(v.Watermark().UnixMilli())
		}
	})
	const n = 500
	for i := range n {
		c := dial(t, netip.AddrFrom4([4]byte{127, 0, 1, byte(i%50 + 1)}).String(), v.Addrs()[i%2])
		send(t, c, payload)
		_ = c.Close()
	}
	eventually(t, "all records", func() bool { return s.records() == n*records })
	cancel()
	polling.Wait()
	if late.Load() > 0 {
		t.Errorf("%d records came late", late.Load())
	}
}

// TestWatermarkWaits: while the sink holds a batch the watermark stays, and goes
// on afterwards.
func TestWatermarkWaits(t *testing.T) {
	payload, records := netflow5(t)
	entered, release := make(chan int64), make(chan struct{})
	var s sink
	s.before = func(_ context.Context, b *flow.Batch) error {
		entered <- b.ReceivedAt[0]
		<-release
		return nil
	}
	v := start(t, &s, nil)
	send(t, dial(t, "127.0.0.1", v.Addrs()[0]), payload)
	at := <-entered
	after := time.UnixMilli(at).Add(200 * time.Millisecond) // more than the margin of a socket
	eventually(t, "the clock", func() bool { return time.Now().After(after) })
	if got := v.Watermark().UnixMilli(); got != at {
		t.Errorf("watermark %d with a batch of %d under way", got, at)
	}
	close(release)
	eventually(t, "the watermark", func() bool { return v.Watermark().After(after) })
	if s.records() != records {
		t.Errorf("%d records", s.records())
	}
}
