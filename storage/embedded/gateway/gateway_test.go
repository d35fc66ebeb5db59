package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// fakeEngine takes one connection and sees how it ends.
func fakeEngine(t *testing.T) (address string, seen chan []byte, ends chan error) {
	t.Helper()
	l := listener(t)
	seen, ends = make(chan []byte, 1), make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			ends <- err
			return
		}
		defer c.Close()
		data := make([]byte, 4096)
		n, err := c.Read(data)
		seen <- data[:n]
		for err == nil {
			_, err = c.Read(data)
		}
		ends <- err
	}()
	return l.Addr().String(), seen, ends
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// serve runs a gateway with one user, u, whose password is p, and one database, d.
func serve(t *testing.T) (g *Gateway, native string, stop func()) {
	t.Helper()
	g, stop = serveOn(t, listener(t), listener(t), slog.New(slog.DiscardHandler))
	return g, g.native.Addr().String(), stop
}

func serveOn(t *testing.T, front, web net.Listener, logger *slog.Logger) (g *Gateway, stop func()) {
	t.Helper()
	g = New(front, web, Policy{
		Passwords: map[string]string{"u": "p"},
		Database:  func(name string) bool { return name == "d" },
		Secret:    "s",
	}, NewMetrics(), logger)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return g, stop
}

func hello(user, password, database string) []byte {
	var b proto.Buffer
	proto.ClientHello{Name: "c", ProtocolVersion: 54400, User: user, Password: password, Database: database}.Encode(&b)
	return b.Buf
}

func dialAndSend(t *testing.T, address string, data []byte) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// A client that resets is, to the engine, one that ends in order.
func TestEngineNeverSeesAReset(t *testing.T) {
	g, native, _ := serve(t)
	address, seen, ends := fakeEngine(t)
	g.Use(address, address)
	c := dialAndSend(t, native, hello("u", "p", "d"))
	if got := <-seen; !bytes.Equal(got, hello("u", "p", "d")) {
		t.Errorf("the engine got %q", got)
	}
	if err := c.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ends; !errors.Is(err, io.EOF) {
		t.Errorf("to the engine the connection ended with %v", err)
	}
}

func TestRefusals(t *testing.T) {
	g, native, _ := serve(t)
	address, seen, _ := fakeEngine(t)
	g.Use(address, address)
	for _, c := range []struct {
		packet []byte
		want   string
	}{
		{hello("u", "x", "d"), "u: Authentication failed"},
		{hello("", "", "d"), "Authentication failed"},
		{hello("v", "", "d"), "v: Authentication failed"},
		{hello("u", "p", "e"), "Database e does not exist"},
		{[]byte("GET / HTTP/1.1\r\n"), "Unexpected packet from client (expected Hello, got 71)"},
		{[]byte{0, 0xff, 0xff, 0xff, 0x7f}, "a text of 268435455 bytes in the client's Hello"},
	} {
		answer, err := io.ReadAll(dialAndSend(t, native, c.packet))
		if err != nil && len(answer) == 0 {
			t.Fatal(err)
		}
		r := proto.NewReader(bytes.NewReader(answer))
		if code, err := r.UVarInt(); err != nil || proto.ServerCode(code) != proto.ServerCodeException {
			t.Errorf("answer to %q is packet %d (error %v), want an exception", c.packet, code, err)
		}
		var e proto.Exception
		if err := e.DecodeAware(r, 0); err != nil || !bytes.Contains([]byte(e.Message), []byte(c.want)) {
			t.Errorf("answer to %q is %q (error %v), want %q", c.packet, e.Message, err, c.want)
		}
	}
	select {
	case got := <-seen:
		t.Errorf("the engine got %q", got)
	default:
	}
}

func TestClientsWaitForTheEngine(t *testing.T) {
	g, native, _ := serve(t)
	g.Use("127.0.0.1:1", "127.0.0.1:1") // it has just died
	dialAndSend(t, native, hello("u", "p", ""))
	address, seen, _ := fakeEngine(t)
	g.Use("", "")
	g.Use(address, address)
	select {
	case <-seen:
	case <-time.After(awayTimeout):
		t.Error("the client did not reach the engine when it came back")
	}
}

// Run ends when its context does, whatever clients and engine do.
func TestRunEndsWithOpenConnections(t *testing.T) {
	g, native, stop := serve(t)
	address, seen, ends := fakeEngine(t)
	g.Use(address, address)
	dialAndSend(t, native, hello("u", "p", "d"))
	<-seen
	dialAndSend(t, native, hello("u", "p", "d")[:3]) // one that stays silent
	stop()
	if err := <-ends; !errors.Is(err, io.EOF) {
		t.Errorf("to the engine the connection ended with %v", err)
	}
}
