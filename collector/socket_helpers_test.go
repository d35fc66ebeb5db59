package collector

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
)

// keep is a sink that keeps the columns the tests look at. It blocks while held is
// locked.
type keep struct {
	held sync.Mutex
	mu   sync.Mutex

	SamplingInterval []uint32
	ReceivedAt       []int64
}

func (k *keep) Write(_ context.Context, b *flow.Batch) error {
	k.held.Lock()
	defer k.held.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.SamplingInterval = append(k.SamplingInterval, b.SamplingInterval...)
	k.ReceivedAt = append(k.ReceivedAt, b.ReceivedAt...)
	return nil
}

func (k *keep) WriteHealth(context.Context, []flow.Health) error { return nil }

func (k *keep) records() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.SamplingInterval)
}

// listening gives a Collector that speaks stub and listens on a free port of
// 127.0.0.1.
func listening(t *testing.T, s *keep, change func(*Config)) (*Collector, *prometheus.Registry) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.StateFile = ""
	cfg.Workers = 2
	cfg.FlushInterval = 10 * time.Millisecond
	if change != nil {
		change(&cfg)
	}
	reg := prometheus.NewRegistry()
	c, err := New(cfg, []Protocol{stub{}}, nil, s, s, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, reg
}

// running runs it until stop is called.
func running(t *testing.T, c *Collector) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// dialer sends from an address of 127.0.0.0/8 and a port of its own.
func dialer(t *testing.T, from string, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func write(t *testing.T, c io.Writer, payload []byte) {
	t.Helper()
	if _, err := c.Write(payload); err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, what string, good func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !good(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// numbered is a datagram of n records with sampling intervals that follow one another,
// none of them 0.
func numbered(first, n int) []byte {
	b := []byte{'r'}
	for i := range n {
		b = append(b, byte((first+i)%251+1))
	}
	return b
}

// checkNumbered makes sure that so many records came, in the order they were sent.
func checkNumbered(t *testing.T, k *keep, want int) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if got := len(k.SamplingInterval); got != want {
		t.Fatalf("%d records, want %d", got, want)
	}
	for i, n := range k.SamplingInterval {
		if int(n) != i%251+1 {
			t.Fatalf("record %d has number %d", i, n)
		}
	}
}
