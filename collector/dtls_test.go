package collector

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
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
