//go:build linux

package chaos

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// gate is the address of a ClickHouse that can be away: while it is shut it ends every
// connection at once, and when it opens it forwards them.
type gate struct {
	listener net.Listener
	to       string

	mu   sync.Mutex
	open bool
	over []net.Conn // that are forwarded
}

// newGate is a shut gate before the address.
func newGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: l, to: to}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		g.set(false)
		serving.Wait()
	})
	serving.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.pass(from) })
		}
	})
	return g
}

func (g *gate) address() netip.AddrPort { return g.listener.Addr().(*net.TCPAddr).AddrPort() }

// set opens or shuts the gate. To shut it ends what goes through it.
func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = open
	if open {
		return
	}
	for _, c := range g.over {
		c.Close()
	}
	g.over = nil
}

// pass forwards a connection both ways until either side ends.
func (g *gate) pass(from net.Conn) {
	defer from.Close()
	if !g.enter(from) {
		return
	}
	to, err := net.Dial("tcp4", g.to)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	go func() { io.Copy(to, from); to.(*net.TCPConn).CloseWrite(); done <- struct{}{} }()
	go func() { io.Copy(from, to); from.Close(); done <- struct{}{} }()
	<-done
	<-done
}

func (g *gate) enter(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		g.over = append(g.over, c)
	}
	return g.open
}

// away is a ClickHouse behind a shut gate: a database of the test's own on the engine
// that the tests share.
type away struct {
	*gate
	database storage.Endpoint
}

func newAway(t *testing.T) *away {
	t.Helper()
	at := testkit.Database(t)
	return &away{newGate(t, at.Addresses[0]), at}
}

// config is the part of the configuration that names it.
func (a *away) config() string {
	return fmt.Sprintf("  clickhouse: {addresses: [\"%s\"], database: %s, username: %s, password: %s}\n",
		a.address(), a.database.Database, a.database.Username, a.database.Password)
}

// store opens the database, past the gate.
func (a *away) store(t *testing.T) *storage.Store {
	t.Helper()
	return testkit.Open(t, a.database)
}
