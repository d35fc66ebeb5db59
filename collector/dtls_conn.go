package collector

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// packetConn is one peer: a net.Conn to whoever accepts it, a net.PacketConn to the
// DTLS library.
type packetConn struct {
	listener *packetListener
	from     netip.AddrPort

	mu       sync.Mutex
	changed  sync.Cond
	waiting  [][]byte
	bytes    int // of these
	deadline time.Time
	timer    *time.Timer // at deadline
	closed   bool
	replaced bool // nothing more will come: the peer has begun anew

	// answered says that the peer has answered with the cookie: its address is not forged.
	answered atomic.Bool
	// over is closed when nobody uses the connection any more.
	over chan struct{}

	// Under the listener's lock. established says that the peer has shown its certificate,
	// and before is the connection that this one has replaced then.
	established bool
	before      *packetConn
}

func newPacketConn(l *packetListener, from netip.AddrPort) *packetConn {
	c := &packetConn{listener: l, from: from, over: make(chan struct{})}
	c.changed.L = &c.mu
	return c
}

// put adds a datagram; false: there is no room.
func (c *packetConn) put(payload []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return true // the peer is gone, or is let go
	}
	if c.bytes+len(payload)+messageBytes > packetBytes {
		return false
	}
	c.bytes += len(payload) + messageBytes
	c.waiting = append(c.waiting, append([]byte(nil), payload...))
	c.changed.Broadcast()
	return true
}

// ReadFrom implements net.PacketConn.
func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, nil, net.ErrClosed
		case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
			return 0, nil, os.ErrDeadlineExceeded
		case len(c.waiting) > 0:
			first := c.waiting[0]
			c.waiting = c.waiting[1:]
			c.bytes -= len(first) + messageBytes
			return copy(p, first), c.RemoteAddr(), nil
		case c.replaced:
			return 0, nil, net.ErrClosed
		}
		c.changed.Wait()
	}
}

// unread says whether a datagram waits, or may be on its way from the socket.
func (c *packetConn) unread() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		return true
	}
	raw, err := c.listener.conn.SyscallConn()
	return err == nil && readable(raw)
}

// SetReadDeadline implements net.Conn.
func (c *packetConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.timer != nil {
		c.timer.Stop()
	}
	if !t.IsZero() {
		c.timer = time.AfterFunc(time.Until(t), c.wake)
	}
	c.changed.Broadcast()
	return nil
}

// wake makes ReadFrom look at the deadline, under the lock: not between its look at it
// and its wait.
func (c *packetConn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

// Close implements net.Conn.
func (c *packetConn) Close() error {
	c.listener.mu.Lock()
	c.listener.forget(c)
	c.listener.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

// replace lets the connection end when what has come on it is read.
func (c *packetConn) replace() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replaced = true
	c.changed.Broadcast()
}

// takeOver waits until the connection that this one has replaced is over, for its place
// to be free.
func (c *packetConn) takeOver(ctx context.Context) {
	c.listener.mu.Lock()
	before := c.before
	c.before = nil
	c.listener.mu.Unlock()
	if before == nil {
		return
	}
	select {
	case <-before.over:
	case <-ctx.Done():
	}
}

// WriteTo implements net.PacketConn.
func (c *packetConn) WriteTo(p []byte, _ net.Addr) (int, error) { return c.Write(p) }

// Write implements net.Conn. What the library sends tells how far the handshake is.
func (c *packetConn) Write(p []byte) (int, error) {
	switch {
	case isServerHello(p):
		c.answered.Store(true)
	case isChangeCipherSpec(p):
		// It comes last, and what the peer sends on the new connection only after it.
		c.listener.establish(c)
	}
	c.mu.Lock()
	replaced := c.replaced
	c.mu.Unlock()
	if replaced {
		return len(p), nil // the peer does not know these keys any more
	}
	return c.listener.conn.WriteToUDPAddrPort(p, c.from)
}

// Read implements net.Conn.
func (c *packetConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// LocalAddr implements net.Conn.
func (c *packetConn) LocalAddr() net.Addr { return c.listener.Addr() }

// RemoteAddr implements net.Conn.
func (c *packetConn) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(c.from) }

// SetDeadline implements net.Conn. Writing never waits.
func (c *packetConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *packetConn) SetWriteDeadline(time.Time) error { return nil }
