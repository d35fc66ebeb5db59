package collector

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// packetListener tells the peers of one UDP socket apart: each is a connection of its
// own, as of TCP. The library has one as well, but lets whoever sends take any amount
// of memory.
type packetListener struct {
	conn  *net.UDPConn
	drop  func(from netip.AddrPort, r Reason, err error)
	newly chan *packetConn

	mu    sync.Mutex
	peers map[netip.AddrPort]*packetConn
	// again has the peers that begin anew while they have a connection, as a router does
	// that starts again. Anyone can forge that: the connection stays until the new one has
	// its certificate (RFC 6347 §4.2.8).
	again  map[netip.AddrPort]*packetConn
	closed bool
	over   chan struct{} // closed with it
	done   chan struct{} // closed when nothing is read any more
}

// packetBacklog is how many peers may wait for Accept, packetBytes how much may wait
// of one peer, and maxRecord the longest datagram that the library reads.
const (
	packetBacklog = 128
	packetBytes   = 256 << 10
	maxRecord     = 8192
)

func newPacketListener(conn *net.UDPConn) *packetListener {
	return &packetListener{
		conn:  conn,
		newly: make(chan *packetConn, packetBacklog),
		peers: make(map[netip.AddrPort]*packetConn),
		again: make(map[netip.AddrPort]*packetConn),
		over:  make(chan struct{}), done: make(chan struct{}),
	}
}

// start begins to read; drop counts datagrams that are lost.
func (l *packetListener) start(drop func(from netip.AddrPort, r Reason, err error)) {
	l.drop = drop
	go l.read()
}

// Accept implements net.Listener.
func (l *packetListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.newly:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Addr implements net.Listener.
func (l *packetListener) Addr() net.Addr { return l.conn.LocalAddr() }

// Close ends Accept. Connections go on until release.
func (l *packetListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.closed = true
	close(l.over)
	return nil
}

// release closes the socket.
func (l *packetListener) release() error {
	err := l.conn.Close()
	<-l.done
	return err
}

// read hands datagrams to their peers until the socket is closed.
func (l *packetListener) read() {
	defer close(l.done)
	buffer := make([]byte, 1<<16)
	pause := minPause
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(pause)
			pause = min(2*pause, maxPause)
			continue
		}
		pause = minPause
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if r, err := l.deliver(from, buffer[:n]); err != nil {
			l.drop(from, r, err)
		}
	}
}

// What becomes of a datagram that cannot be delivered.
var (
	errNoHandshake = errors.New("a datagram without a handshake before: the exporter must begin anew")
	errTooLong     = errors.New("a DTLS datagram of more than 8192 bytes: the exporter must send shorter messages (RFC 7011 §10.3.3)")
	errBacklog     = errors.New("too many exporters connect at once")
	errPeerFull    = errors.New("datagrams come faster than they are decoded and stored")
)

// deliver gives a datagram to its peer, a new one if it begins a handshake.
func (l *packetListener) deliver(from netip.AddrPort, payload []byte) (Reason, error) {
	if len(payload) > maxRecord {
		return ConnectionError, errTooLong
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	in, c := l.peers, l.peers[from]
	if c != nil && c.established {
		// What is of the new handshake, and nothing else, goes to the new connection.
		next := l.again[from]
		if isClientHello(payload) || next != nil && next.answered.Load() && isOfHandshake(payload) {
			in, c = l.again, next
		}
	}
	if c == nil {
		if l.closed {
			return 0, nil // on the way to a collector that stops
		}
		switch {
		case isLeftover(payload):
			return 0, nil
		case !isClientHello(payload):
			return ConnectionError, errNoHandshake
		}
		c = newPacketConn(l, from)
		select {
		case l.newly <- c:
			in[from] = c
		default:
			return ConnectionLimit, errBacklog
		}
	}
	if !c.put(payload) {
		return QueueFull, errPeerFull
	}
	return 0, nil
}

// establish says that the peer has shown its certificate: if it had a connection before,
// that one gives way. It may be called again.
func (l *packetListener) establish(c *packetConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.established = true
	if l.again[c.from] != c {
		return
	}
	delete(l.again, c.from)
	if c.before = l.peers[c.from]; c.before != nil {
		c.before.replace()
	}
	l.peers[c.from] = c
}

// forget lets go of a connection that is closed. l.mu is held.
func (l *packetListener) forget(c *packetConn) {
	if l.again[c.from] == c {
		delete(l.again, c.from)
	}
	if l.peers[c.from] != c {
		return
	}
	delete(l.peers, c.from)
	if next := l.again[c.from]; next != nil {
		delete(l.again, c.from)
		l.peers[c.from] = next
	}
}

// isClientHello says whether a datagram begins a handshake (RFC 6347 §4.1, §4.2.2): a
// record of type 22 and of epoch 0, whose message is of type 1.
func isClientHello(b []byte) bool {
	const message = 13 // where it begins
	return len(b) > message && b[0] == 22 && b[1] == 254 && b[3] == 0 && b[4] == 0 && b[message] == 1
}

// The types of records (RFC 5246 §6.2.1).
const (
	changeCipherSpec = 20
	alertRecord      = 21
	handshakeRecord  = 22
)

// isRecord says whether a datagram begins with a record of that type.
func isRecord(b []byte, of byte) bool { return len(b) > 1 && b[0] == of && b[1] == 254 }

// isOfHandshake says whether a datagram may belong to a handshake that has begun: its
// messages, the last of which is encrypted, and whatever else is not.
func isOfHandshake(b []byte) bool {
	return isRecord(b, handshakeRecord) || len(b) > 4 && b[1] == 254 && b[3] == 0 && b[4] == 0
}

// isServerHello says whether a datagram of ours goes on with a handshake: the library
// sends it when the peer has answered with the cookie.
func isServerHello(b []byte) bool {
	const message = 13
	return len(b) > message && isRecord(b, handshakeRecord) && b[3] == 0 && b[4] == 0 && b[message] == 2
}

// isChangeCipherSpec says whether a datagram of ours ends a handshake: the library sends
// it when it has verified the peer's certificate and the last message.
func isChangeCipherSpec(b []byte) bool { return isRecord(b, changeCipherSpec) }

// isLeftover says whether a datagram is of a handshake that failed, or the word that a
// connection is over: nothing is lost with it.
func isLeftover(b []byte) bool {
	return isRecord(b, changeCipherSpec) || isRecord(b, alertRecord) || isRecord(b, handshakeRecord) && !isClientHello(b)
}
