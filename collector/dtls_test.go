package collector

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
)

func startDTLS(t *testing.T, a *authority, inventory Exporters, change func(*Config)) (*streaming, netip.AddrPort) {
	t.Helper()
	s := startStreaming(t, inventory, func(c *Config) {
		c.TCP, c.DTLS, c.Security = nil, []string{"127.0.0.1:0"}, a.security(t)
		if change != nil {
			change(c)
		}
	})
	return s, s.StreamAddrs("dtls")[0]
}

// clientHello is the beginning of a handshake, and no more than that.
func clientHello() []byte {
	return append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1}, make([]byte, 11)...)
}

// TestDTLSStrays: datagrams that belong to no connection are counted, but for what is
// left of one; none of them takes memory.
func TestDTLSStrays(t *testing.T) {
	s, to := startDTLS(t, newAuthority(t), nil, nil)
	c := dialer(t, "127.0.0.1", to)
	data := append([]byte{23, 254, 253, 0, 1}, make([]byte, 100)...)
	alert := append([]byte{21, 254, 253, 0, 1}, make([]byte, 20)...)
	for _, payload := range [][]byte{data, alert, []byte("nonsense"), {}, make([]byte, maxRecord+1), {22, 254}} {
		write(t, c, payload)
	}
	const lost = 4 // data, nonsense, nothing, what is too long
	waitFor(t, "the strays", func() bool {
		return s.dropped(ConnectionError) == lost && s.log.has("the exporter must begin anew") && s.log.has("shorter messages")
	})
	if l := s.streams.bound()[0].Listener.(*packetListener); len(l.peers) != 0 {
		t.Errorf("%d peers", len(l.peers))
	}
}

// TestDTLSHandshakes: whoever begins handshakes and does not end them finds a limit, and
// takes no exporter that is connected its place. Unlisted exporters do not get so far.
func TestDTLSHandshakes(t *testing.T) {
	a := newAuthority(t)
	s, to := startDTLS(t, a, listOf{netip.MustParseAddr("127.0.0.1"): 0}, func(c *Config) { c.Limits.MaxConnections, c.Exporters = 2, ExportersListed })
	conn, err := dialDTLS(net.UDPAddrFromAddrPort(to), a.shown(t, time.Now().Add(time.Hour)), a.pool())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	waitFor(t, "the connection", func() bool { return s.metric(t, "connections", "dtls") == 1 })
	write(t, dialer(t, "127.0.0.2", to), clientHello())
	waitFor(t, "the refusal", func() bool { return s.dropped(Refused) == 1 })
	for range 5 {
		write(t, dialer(t, "127.0.0.1", to), clientHello())
	}
	waitFor(t, "the limit", func() bool { return s.dropped(ConnectionLimit) >= 1 })
	write(t, conn, numberedMessage(0, 10))
	waitFor(t, "the records", func() bool { return s.records() == 10 })
}

// TestDTLSBurst: messages that come while the worker is held up wait, as many as there
// is room for; what is lost is counted, and the end of the collector loses nothing that
// waits.
func TestDTLSBurst(t *testing.T) {
	a := newAuthority(t)
	s, to := startDTLS(t, a, nil, func(c *Config) { c.QueueBytes, c.BatchRecords = 1<<16, 1 })
	conn, err := dialDTLS(net.UDPAddrFromAddrPort(to), a.shown(t, time.Now().Add(time.Hour)), a.pool())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	waitFor(t, "the connection", func() bool { return s.metric(t, "connections", "dtls") == 1 })
	s.held.Lock()
	const each, size = 10, 1000
	sent := 0
	for s.dropped(QueueFull) == 0 {
		write(t, conn, paddedMessage(0, each, size))
		if sent++; sent > 10_000 {
			t.Fatal("there is always room")
		}
	}
	l := s.streams.bound()[0].Listener.(*packetListener)
	waitFor(t, "the rest to be read", func() bool { return !readable(mustRaw(t, l.conn)) })
	held := make(chan struct{})
	go func() { s.stop(); close(held) }()
	s.held.Unlock()
	<-held
	if got := s.records()/each + int(s.dropped(QueueFull)); got != sent {
		t.Errorf("%d of %d messages accounted for", got, sent)
	}
}

// TestPacketConnDeadline: a read ends at its deadline, and the next may go on.
func TestPacketConnDeadline(t *testing.T) {
	c := newPacketConn(&packetListener{peers: map[netip.AddrPort]*packetConn{}}, port(addr(1)))
	for range 3 {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(nil); err == nil {
			t.Fatal("no deadline")
		}
	}
	_ = c.SetReadDeadline(time.Time{})
	c.put([]byte("abc"))
	b := make([]byte, 10)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "abc" || c.bytes != 0 {
		t.Errorf("read %q, %v", b[:n], err)
	}
	_ = c.Close()
	if c.put([]byte("late")); c.bytes != 0 {
		t.Error("a closed connection takes memory")
	}
	if _, err := c.Read(b); err == nil {
		t.Error("read from a closed connection")
	}
}

func mustRaw(t *testing.T, c *net.UDPConn) syscall.RawConn {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// dtlsPeer is an exporter at a port that it keeps.
type dtlsPeer struct {
	*dtls.Conn
	socket *net.UDPConn
}

func connectDTLS(t *testing.T, from string, to netip.AddrPort, a *authority, shown []tls.Certificate) (*dtlsPeer, error) {
	t.Helper()
	at, err := net.ResolveUDPAddr("udp", from)
	if err != nil {
		t.Fatal(err)
	}
	p := &dtlsPeer{}
	if p.socket, err = net.ListenUDP("udp", at); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.socket.Close() })
	options := []dtls.ClientOption{dtls.WithRootCAs(a.pool()), dtls.WithServerName("127.0.0.1")}
	if shown != nil {
		options = append(options, dtls.WithCertificates(shown...))
	}
	if p.Conn, err = dtls.ClientWithOptions(p.socket, net.UDPAddrFromAddrPort(to), options...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	return p, p.HandshakeContext(ctx)
}

// realHello is what an exporter begins with.
func realHello(t *testing.T, a *authority) []byte {
	t.Helper()
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	from, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	c, err := dtls.ClientWithOptions(from, sink.LocalAddr(), dtls.WithRootCAs(a.pool()), dtls.WithServerName("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = c.HandshakeContext(ctx) }()
	b := make([]byte, 2000)
	n, _, err := sink.ReadFromUDPAddrPort(b)
	cancel()
	<-done
	if err != nil || !isClientHello(b[:n]) {
		t.Fatalf("no hello: %x, %v", b[:n], err)
	}
	return b[:n]
}

// TestDTLSRestart: a router that starts again and keeps its port is let in at once, in the
// place of the connection that it had, and what that had sent before is not lost.
func TestDTLSRestart(t *testing.T) {
	a := newAuthority(t)
	s, to := startDTLS(t, a, nil, func(c *Config) { c.Limits.MaxConnections = 1 })
	shown := a.shown(t, time.Now().Add(time.Hour))
	from := "127.0.0.1:0"
	const rounds = 4
	for i := range rounds {
		p, err := connectDTLS(t, from, to, a, shown)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		write(t, p, numberedMessage(i*10, 10))
		waitFor(t, "the records", func() bool { return s.records() == (i+1)*10 })
		from = p.socket.LocalAddr().String()
		_ = p.socket.Close() // without a word
	}
	if got := s.metric(t, "connections", "dtls"); got != 1 {
		t.Errorf("%v connections", got)
	}
	if n := s.dropped(ConnectionError) + s.dropped(ConnectionLimit); n != 0 {
		t.Errorf("%d dropped; log:\n%s", n, &s.log)
	}
	checkNumbered(t, &s.keep, rounds*10)
}

// TestDTLSForgedRestart: who forges the address of an exporter, or has no certificate,
// does not cut its connection.
func TestDTLSForgedRestart(t *testing.T) {
	a := newAuthority(t)
	s, to := startDTLS(t, a, nil, nil)
	p, err := connectDTLS(t, "127.0.0.1:0", to, a, a.shown(t, time.Now().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	hello := realHello(t, a)
	l := s.streams.bound()[0].Listener.(*packetListener)
	again := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.again)
	}
	for i := range 3 {
		for _, forged := range [][]byte{hello, clientHello()} {
			if _, err := p.socket.WriteToUDPAddrPort(forged, to); err != nil {
				t.Fatal(err)
			}
		}
		write(t, p, numberedMessage(i*10, 10))
		waitFor(t, "the records", func() bool { return s.records() == (i+1)*10 })
	}
	if again() != 1 {
		t.Errorf("%d begin anew", again())
	}
	waitFor(t, "the forger to be given up", func() bool { return again() == 0 && s.log.has("cookie") })
	write(t, p, numberedMessage(30, 10))
	waitFor(t, "the records", func() bool { return s.records() == 40 })
	if got := s.metric(t, "connections_total", "dtls"); got != 1 {
		t.Errorf("%v connections", got)
	}
}

// TestDTLSCookie: who does not answer with the cookie gives its place back soon, and
// strangers have no places of listed exporters.
func TestDTLSCookie(t *testing.T) {
	a := newAuthority(t)
	s, to := startDTLS(t, a, listOf{netip.MustParseAddr("127.0.0.1"): 0}, func(c *Config) { c.Limits.MaxConnections = 2 })
	hello := realHello(t, a)
	began := time.Now()
	for range 5 {
		write(t, dialer(t, "127.0.0.2", to), hello)
	}
	waitFor(t, "the limit", func() bool { return s.dropped(ConnectionLimit) == 3 })
	p, err := connectDTLS(t, "127.0.0.1:0", to, a, a.shown(t, time.Now().Add(time.Hour)))
	if took := time.Since(began); err != nil || took > cookieTime {
		t.Fatalf("a listed exporter waits %s: %v", took, err)
	}
	write(t, p, numberedMessage(0, 10))
	waitFor(t, "the records", func() bool { return s.records() == 10 })
	waitFor(t, "the places", func() bool { return s.dropped(ConnectionError) == 2 })
	if took := time.Since(began); took > handshakeTime/2 {
		t.Errorf("strangers hold places for %s", took)
	}
	if p, err = connectDTLS(t, "127.0.0.2:0", to, a, a.shown(t, time.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	write(t, p, numberedMessage(10, 10))
	waitFor(t, "the records", func() bool { return s.records() == 20 })
}

// TestDTLSKernelDrops: what the kernel drops of DTLS is counted as of UDP.
func TestDTLSKernelDrops(t *testing.T) {
	a := newAuthority(t)
	s, to := startDTLS(t, a, nil, func(c *Config) { c.ReceiveBufferBytes = 1 << 16 })
	l := s.streams.bound()[0]
	packets := l.Listener.(*packetListener)
	packets.mu.Lock() // nobody reads
	from := dialer(t, "127.0.0.1", to)
	for range 500 {
		write(t, from, bytes.Repeat([]byte{1}, 1000))
	}
	s.health.countKernelDrops()
	s.health.countKernelDrops()
	packets.mu.Unlock()
	lost := l.socket.dropped.Load()
	if got := s.dropped(SocketBufferFull); got == 0 || got != lost {
		t.Errorf("health counts %d, the kernel %d", got, lost)
	}
	if !s.log.has("transport=dtls") || !s.log.has("dropped by the kernel") {
		t.Errorf("log:\n%s", &s.log)
	}
	if l.socket.granted < 1<<16 {
		t.Errorf("granted %d", l.socket.granted)
	}
}
