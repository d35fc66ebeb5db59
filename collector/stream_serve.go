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

// serve receives from one connection until it ends. leave frees the place that admit
// gave it.
func (s *streams) serve(ctx context.Context, l *streamListener, conn net.Conn, from netip.AddrPort, leave func()) {
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
		if !s.open.take(s.cfg.Limits.MaxConnections) {
			s.drop(l, from, ConnectionLimit, errTooMany)
			return
		}
		leave = s.open.free
	}
	defer leave()
	l.accepted.Add(1)
	l.connections.Add(1)
	defer l.connections.Add(-1)

	id, w := Stream(s.ids.Add(1)), s.workerOf(from.Addr())
	c := &connection{Conn: conn, ctx: ctx, idle: l.idle, unread: unread(below)}
	err := s.receive(ctx, l, c, func(message []byte) { w.queue.push(id, from, message) })
	w.queue.end(id, from)
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
		push(message)
	}
}

// connection is a connection that is read for a little longer after ctx ended: until
// nothing more comes for arrivePause, or until the sinks give up.
type connection struct {
	net.Conn
	ctx  context.Context
	idle time.Duration
	// unread says whether something has arrived that nobody has read: on a machine that
	// is busy, silence may be our own.
	unread func() bool

	mu    sync.Mutex // held to set deadlines
	until time.Time  // once ctx ended
}

// arrivePause is how long a connection may be silent after ctx ended before what has
// arrived is taken to be read.
const arrivePause = 100 * time.Millisecond

var (
	// errStopped is the end of a connection because the collector stops.
	errStopped = errors.New("the collector stops")
	// errIdle is the end of one whose peer cannot say that it is gone.
	errIdle = errors.New("nothing came for so long that the exporter is taken for gone")
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
		}
		return false, err
	}
	if c.until.IsZero() {
		c.until = now.Add(shutdownTime)
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
