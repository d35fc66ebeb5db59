package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// handshakeTime is how long a TLS or DTLS handshake may take.
const handshakeTime = 10 * time.Second

// firstTime is how long an exporter that the inventory does not list may take for its
// first message: who connects and says nothing must not hold a place.
const firstTime = 30 * time.Second

// serve receives from one connection until it ends. leave frees the place that admit
// gave it.
func (s *streams) serve(ctx context.Context, l *streamListener, conn net.Conn, from netip.AddrPort, isListed bool, leave func()) {
	if p, ok := conn.(*packetConn); ok {
		defer close(p.over)
	}
	defer func() { _ = conn.Close() }()
	below := conn
	if l.secure != nil {
		secured, err := s.handshake(ctx, l, conn)
		leave()
		if err != nil {
			if ctx.Err() == nil {
				s.drop(l, from, ConnectionError, fmt.Errorf("handshake: %w", err))
			}
			return
		}
		conn = secured
		defer func() { _ = secured.Close() }()
		one := s.open.of(isListed)
		if !one.take(s.cfg.Limits.MaxConnections) {
			s.drop(l, from, ConnectionLimit, tooMany(isListed))
			return
		}
		leave = one.free
	}
	defer leave()
	l.accepted.Add(1)
	l.connections.Add(1)
	defer l.connections.Add(-1)

	id, w := Stream(s.ids.Add(1)), s.workerOf(from.Addr())
	c := &connection{Conn: conn, ctx: ctx, idle: l.idle, unread: unread(below)}
	if l.idle == 0 && !isListed {
		c.first = time.Now().Add(firstTime)
	}
	pushed := false
	err := s.receive(ctx, l, c, func(message []byte) {
		w.queue.push(id, from, message)
		pushed = true
	})
	if pushed {
		w.queue.end(id, from)
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, errStopped):
	case errors.Is(err, errIdle):
		s.logger.Info("connection ended", "exporter", from.String(), "listen", l.listens(), "error", err)
	default:
		s.drop(l, from, ConnectionError, err)
	}
}

func (s *streams) handshake(ctx context.Context, l *streamListener, conn net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	return l.secure(ctx, conn)
}

// receive hands messages to push until the connection ends; the error says how.
func (s *streams) receive(ctx context.Context, l *streamListener, c *connection, push func([]byte)) error {
	defer context.AfterFunc(ctx, c.wake)()
	f := newFramer(c, s.cfg.Limits.MaxMessageBytes, l.records)
	for {
		message, err := f.next()
		if err != nil {
			return err
		}
		c.first = time.Time{}
		push(message)
	}
}

// connection is a connection that is read for a little longer after ctx ended: until
// nothing more comes for arrivePause, drainTime at the longest. A peer that still sends
// then does so for ever; over TCP it knows what of it has not been read.
type connection struct {
	net.Conn
	ctx  context.Context
	idle time.Duration
	// first is until when the first message must have come whole; zero: it has come, or
	// may come at any time. Only who reads looks at it.
	first time.Time
	// unread says whether something has arrived that nobody has read: on a machine that
	// is busy, silence may be our own.
	unread func() bool

	mu    sync.Mutex // held to set deadlines
	until time.Time  // once ctx ended
	armed time.Time  // the deadline, when it is that of first
}

// arrivePause is how long a connection may be silent after ctx ended before what has
// arrived is taken to be read.
const arrivePause = 100 * time.Millisecond

var (
	// errStopped is the end of a connection because the collector stops.
	errStopped = errors.New("the collector stops")
	// errIdle is the end of one whose peer cannot say that it is gone.
	errIdle = errors.New("nothing came for so long that the exporter is taken for gone")
	// errSilent is the end of one whose peer took a place and sent no message.
	errSilent = errors.New("no whole message came in 30 seconds, which is as long as an exporter may take that the inventory does not list")
)

// wake makes a Read that waits look at ctx.
func (c *connection) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.SetReadDeadline(time.Now())
}

// Read implements io.Reader.
func (c *connection) Read(p []byte) (int, error) {
	for {
		stopping, err := c.arm()
		if err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		var timeout net.Error
		switch {
		case n > 0 || !errors.As(err, &timeout) || !timeout.Timeout():
			return n, err
		case stopping && !c.unread():
			return 0, errStopped
		case stopping:
		case c.ctx.Err() == nil && !c.first.IsZero() && !time.Now().Before(c.first):
			return 0, errSilent
		case c.ctx.Err() == nil && c.idle == 0:
			return 0, err // the kernel's: a peer that is gone (ETIMEDOUT)
		case c.ctx.Err() == nil:
			return 0, errIdle
		}
	}
}

// arm sets the deadline of the next read. Each gets one of its own once the collector
// stops: a full queue may have held up the one before for long.
func (c *connection) arm() (stopping bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.ctx.Err() == nil {
		if c.idle > 0 {
			err = c.SetReadDeadline(now.Add(c.idle))
		} else if c.armed != c.first {
			c.armed = c.first
			err = c.SetReadDeadline(c.first)
		}
		return false, err
	}
	if c.until.IsZero() {
		c.until = now.Add(drainTime)
	}
	if now.After(c.until) {
		return true, errStopped
	}
	return true, c.SetReadDeadline(now.Add(arrivePause))
}

// unread gives what tells of a connection whether something has arrived that has not
// been read.
func unread(conn net.Conn) func() bool {
	switch c := conn.(type) {
	case *packetConn:
		return c.unread
	case syscall.Conn:
		if raw, err := c.SyscallConn(); err == nil {
			return func() bool { return readable(raw) }
		}
	}
	return func() bool { return false }
}
