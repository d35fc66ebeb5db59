package native_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy passes connections on to the engine, until it is told to be unkind.
type proxy struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []*net.TCPConn
	limit int64 // bytes of a connection to the engine before it is reset; 0 none
	taken int   // connections
}

// proxyTo starts one that ends with the test.
func proxyTo(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			done.Go(func() { p.serve(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); p.reset(); done.Wait() })
	return p
}

func (p *proxy) address() string { return p.Addr().String() }

func (p *proxy) serve(client *net.TCPConn) {
	c, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	engine := c.(*net.TCPConn)
	p.mu.Lock()
	p.conns = append(p.conns, client, engine)
	p.taken++
	limit := p.limit
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(client, engine)
		_ = client.Close()
	}()
	if limit > 0 {
		_, _ = io.CopyN(engine, client, limit)
		reset(client)
		reset(engine)
		return
	}
	_, _ = io.Copy(engine, client)
	_ = engine.CloseWrite()
}

// cutAfter resets later connections after so many bytes of the client; 0 never.
func (p *proxy) cutAfter(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = bytes
}

// reset resets all connections.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		reset(c)
	}
	p.conns = nil
}

func (p *proxy) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}
