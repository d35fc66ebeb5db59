package storage_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestOpenRefusesAWrongPasswordAtOnce(t *testing.T) {
	endpoint := testkit.Engine(t).Writer()
	endpoint.Password = "wrong"
	_, err := storage.Open(t.Context(), endpoint, testkit.Logger(t))
	if err == nil || !strings.Contains(err.Error(), `refuses user "tapwatch"`) {
		t.Errorf("Open with a wrong password = %v", err)
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// ClickHouse may come later than tapwatch: Open says that it waits and goes on when
// it is there.
func TestOpenWaitsForClickHouse(t *testing.T) {
	real := testkit.Engine(t).Writer()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	late := real
	late.Addresses = []string{listener.Addr().String()}
	if err := listener.Close(); err != nil { // nobody listens there now
		t.Fatal(err)
	}
	var log lockedBuffer
	opened := make(chan error, 1)
	go func() {
		s, err := storage.Open(t.Context(), late, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	testkit.Eventually(t, "the log says that it waits", func() bool {
		return strings.Contains(log.String(), `msg="clickhouse cannot be reached, trying again"`) &&
			strings.Contains(log.String(), late.Addresses[0])
	})
	forward(t, late.Addresses[0], real.Addresses[0])
	if err := <-opened; err != nil {
		t.Errorf("Open when ClickHouse has come: %v", err)
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := storage.Open(ctx, storage.Endpoint{Addresses: []string{"127.0.0.1:1"}, Username: "x"}, testkit.Logger(t))
	if err == nil || !strings.Contains(err.Error(), "reach clickhouse at [127.0.0.1:1]") {
		t.Errorf("Open without ClickHouse = %v", err)
	}
}

// forward makes the address another one of the target until the test ends.
func forward(t *testing.T, address, target string) {
	t.Helper()
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp4", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			go pipe(client, server)
			go pipe(server, client)
		}
	}()
}

func pipe(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
