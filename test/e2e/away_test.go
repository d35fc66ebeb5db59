package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tapwatch/internal/app"
	"tapwatch/internal/testkit"
)

// TestClickHouseAway starts tapwatch before ClickHouse can be reached: it says so
// every few seconds, the console answers that it is not ready, and once ClickHouse
// can be reached everything runs.
func TestClickHouseAway(t *testing.T) {
	cfg := configuration(t)
	gate := newGate(t, cfg.Storage.ClickHouse.Addresses[0])
	cfg.Storage.ClickHouse.Addresses = []string{gate.listener.Addr().String()}
	var log syncBuffer
	a, err := app.New(cfg, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()

	testkit.Eventually(t, "a message that ClickHouse cannot be reached", func() bool {
		return strings.Contains(log.String(), "clickhouse cannot be reached, trying again")
	})
	ready := fmt.Sprintf("http://%s/readyz", a.ConsoleAddr())
	if status, body := get(t, ready); status != http.StatusServiceUnavailable || !strings.Contains(body, "clickhouse") {
		t.Errorf("readyz answers %d %s, want 503 and the word clickhouse", status, body)
	}
	close(gate.open)
	testkit.Eventually(t, "readyz answers 200", func() bool { status, _ := get(t, ready); return status == http.StatusOK })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestStopWhileClickHouseIsAway: who stops tapwatch then wants a clean end.
func TestStopWhileClickHouseIsAway(t *testing.T) {
	cfg := configuration(t)
	cfg.Storage.ClickHouse.Addresses = []string{newGate(t, "").listener.Addr().String()}
	var log syncBuffer
	a, err := app.New(cfg, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	testkit.Eventually(t, "a message that ClickHouse cannot be reached", func() bool {
		return strings.Contains(log.String(), "clickhouse cannot be reached, trying again")
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// gate is a TCP address that ends every connection at once until it is opened, and
// then forwards them.
type gate struct {
	listener net.Listener
	open     chan struct{} // to be closed
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{l, make(chan struct{})}
	var forwarding sync.WaitGroup
	t.Cleanup(func() { l.Close(); forwarding.Wait() })
	forwarding.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case <-g.open:
				forwarding.Go(func() { forward(from, to) })
			default:
				from.Close()
			}
		}
	})
	return g
}

// forward copies both ways until either side ends.
func forward(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp4", address)
	if err != nil {
		return
	}
	done := make(chan struct{}, 2)
	go func() { io.Copy(to, from); to.Close(); done <- struct{}{} }()
	go func() { io.Copy(from, to); from.Close(); done <- struct{}{} }()
	<-done
	<-done
}

// get gives status and body of a page; status 0 where nobody answers.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
