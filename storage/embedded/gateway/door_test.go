package gateway

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// shortListener is one of a process that has no file descriptor left for a while.
type shortListener struct {
	net.Listener
	shortages atomic.Int32
}

func (l *shortListener) Accept() (net.Conn, error) {
	if l.shortages.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

func TestAShortageOfDescriptorsIsWaitedOut(t *testing.T) {
	front, web := &shortListener{Listener: listener(t)}, &shortListener{Listener: listener(t)}
	front.shortages.Store(3)
	web.shortages.Store(3)
	var logged bytes.Buffer
	g, stop := serveOn(t, front, web, slog.New(slog.NewTextHandler(&logged, nil)))
	if answer := refusedAs(t, front.Addr().String(), hello("u", "x", "")); !strings.Contains(answer, "u: Authentication failed") {
		t.Errorf("after the shortage the native door answers %q", answer)
	}
	if answer := refusedAs(t, web.Addr().String(), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); !strings.HasPrefix(answer, "HTTP/1.1 401 ") {
		t.Errorf("after the shortage the web door answers %q", answer)
	}
	if got := testutil.ToFloat64(g.metrics.AcceptErrors); got != 6 {
		t.Errorf("accept errors = %v, want 6", got)
	}
	stop()
	if got := strings.Count(logged.String(), "connection not accepted, trying again"); got != 2 {
		t.Errorf("logged %d times, want once a door:\n%s", got, &logged)
	}
}

// refusedAs gives what the gateway answers before it ends the connection.
func refusedAs(t *testing.T, address string, data []byte) string {
	t.Helper()
	c := dialAndSend(t, address, data)
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil && len(answer) == 0 {
		t.Fatalf("%s did not answer: %v", address, err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s answered %q and did not end the connection", address, answer)
	}
	return string(answer)
}

func TestAnEndlessShortageEndsWithRun(t *testing.T) {
	front, web := &shortListener{Listener: listener(t)}, &shortListener{Listener: listener(t)}
	front.shortages.Store(1 << 30)
	web.shortages.Store(1 << 30)
	g, stop := serveOn(t, front, web, slog.New(slog.DiscardHandler))
	eventually(t, "both doors are in trouble", func() bool { return testutil.ToFloat64(g.metrics.AcceptErrors) > 6 })
	stop()
}

func TestABrokenListenerEndsRun(t *testing.T) {
	front := listener(t)
	if err := front.Close(); err != nil {
		t.Fatal(err)
	}
	g := New(front, listener(t), Policy{}, NewMetrics(), slog.New(slog.DiscardHandler))
	if err := g.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run = %v, want that the listener is closed", err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for end := time.After(patience); !is(); {
		select {
		case <-poll.C:
		case <-end:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// Clients without a password take no more than their places, and those with one
// need none.
func TestStrangersAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		door func(g *Gateway) string
		in   func(t *testing.T, address string) bool
	}{
		"native": {func(g *Gateway) string { return g.native.Addr().String() }, nativeLetsIn},
		"web":    {func(g *Gateway) string { return g.web.Addr().String() }, webLetsIn},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			g, stop := serveOn(t, listener(t), listener(t), slog.New(slog.NewTextHandler(&logged, nil)))
			engine := echo(t)
			g.Use(engine, engine)
			address := c.door(g)
			for range maxStrangers + 1 { // they stay, and take no place
				if !c.in(t, address) {
					t.Fatal("a client with the password is refused")
				}
			}
			var strangers []*net.TCPConn
			for range maxStrangers {
				strangers = append(strangers, dialAndSend(t, address, nil))
			}
			for range 5 {
				if c.in(t, address) {
					t.Error("a client is let in beside too many strangers")
				}
			}
			if got := testutil.ToFloat64(g.metrics.Refused); got != 5 {
				t.Errorf("refused = %v, want 5", got)
			}
			if err := strangers[0].Close(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a client gets the place of a stranger that went", func() bool { return c.in(t, address) })
			stop()
			if got := strings.Count(logged.String(), "connection refused"); got != 1 {
				t.Errorf("logged %d times, want once:\n%s", got, &logged)
			}
		})
	}
}

// echo is an engine that answers every connection with a whole HTTP answer and keeps
// it open.
func echo(t *testing.T) (address string) {
	t.Helper()
	l := listener(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOk.")
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return l.Addr().String()
}

// nativeLetsIn says hello on a new connection, which stays.
func nativeLetsIn(t *testing.T, address string) bool {
	return answers(t, address, hello("u", "p", "d"), "HTTP/1.1 200")
}

// webLetsIn asks something on a new connection, which stays.
func webLetsIn(t *testing.T, address string) bool {
	return answers(t, address, []byte("GET / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: u\r\nX-ClickHouse-Key: p\r\n\r\n"), "HTTP/1.1 200")
}

func answers(t *testing.T, address string, data []byte, want string) bool {
	t.Helper()
	c, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write(data) // a refused client may see it here or when it reads
	answer := make([]byte, len(want))
	_, err = io.ReadFull(c, answer)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%s neither answers nor refuses", address)
	}
	return err == nil && string(answer) == want
}

// A stranger that was answered over HTTP does not stay.
func TestStrangersAreDismissed(t *testing.T) {
	g, _, _ := serve(t)
	engine := echo(t)
	g.Use(engine, engine)
	for path, status := range map[string]string{"/": "401", "/ping": "200", proofPath: "400"} {
		answer := refusedAs(t, g.web.Addr().String(), []byte("GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"))
		if !strings.HasPrefix(answer, "HTTP/1.1 "+status) {
			t.Errorf("%s is answered %q, want %s", path, answer, status)
		}
	}
}
