package collector

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sys/unix"

	"tapwatch/flow"
)

// TestKernelStamps: a datagram that nobody reads for a while is stamped when it came;
// until it is read the watermark does not pass it, and never goes back.
func TestKernelStamps(t *testing.T) {
	awaitStamps(t)
	var k keep
	c, _ := listening(t, &k, nil)
	from := dialer(t, "127.0.0.1", c.Addrs()[0])
	before := time.Now().Truncate(time.Millisecond)
	write(t, from, []byte("r\x01"))
	after := time.Now()
	late := after.Add(3 * settleMargin * time.Millisecond)
	marks := []time.Time{c.Watermark()}
	waitFor(t, "the clock", func() bool { return time.Now().After(late) })
	marks = append(marks, c.Watermark())
	if last := marks[1]; last.After(before) {
		t.Errorf("watermark %s with a datagram of %s unread", last, before)
	}
	stop := running(t, c)
	waitFor(t, "the record", func() bool { return k.records() == 1 })
	waitFor(t, "the watermark", func() bool { marks = append(marks, c.Watermark()); return marks[len(marks)-1].After(late) })
	stop()
	if at := time.UnixMilli(k.ReceivedAt[0]); at.Before(before) || at.After(after) {
		t.Errorf("stamped %s, sent between %s and %s", at, before, after)
	}
	if !slices.IsSortedFunc(append(marks, c.Watermark()), time.Time.Compare) {
		t.Errorf("the watermark went back: %v", marks)
	}
}

// awaitStamps makes the kernel stamp datagrams when they come, until the test ends: it
// begins to some time after the first socket on the machine asked for it, and stamps
// what came before when it is read.
func awaitStamps(t *testing.T) {
	t.Helper()
	s, err := bind(t.Context(), "127.0.0.1:0", 0, nil, &stepClock{read: time.Now}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.conn.Close() })
	at := int64(0)
	r, err := newReceiver(s, func(all []arrival) { at = all[0].at })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.close() }()
	from := dialer(t, "127.0.0.1", addrPort(s.conn.LocalAddr()))
	waitFor(t, "stamps of the kernel", func() bool {
		write(t, from, nil)
		sent := time.Now()
		waitFor(t, "the clock", func() bool { return time.Since(sent) > 5*time.Millisecond })
		if err := r.receive(); err != nil {
			t.Fatal(err)
		}
		return at <= sent.UnixMilli()
	})
}

// TestLongDatagrams: a datagram of any length is received whole, among others.
func TestLongDatagrams(t *testing.T) {
	var k keep
	c, _ := listening(t, &k, nil)
	from := dialer(t, "127.0.0.1", c.Addrs()[0])
	sum := 0
	for range 5 {
		for _, size := range []int{1, headBytes - 1, headBytes, headBytes + 1, 9000, 65_507} {
			write(t, from, numbered(sum, size-1))
			sum += size - 1
		}
	}
	running(t, c)
	waitFor(t, "all records", func() bool { return k.records() >= sum })
	checkNumbered(t, &k, sum)
}

// TestOrder: what one exporter sends stays in order over many readings.
func TestOrder(t *testing.T) {
	var k keep
	c, _ := listening(t, &k, func(c *Config) { c.BatchRecords = 100 })
	running(t, c)
	from := dialer(t, "127.0.0.1", c.Addrs()[0])
	const n = 3000
	for i := range n {
		write(t, from, numbered(i, 1))
	}
	waitFor(t, "all records", func() bool { return k.records() == n })
	checkNumbered(t, &k, n)
}

// TestDrainUnderLoad: everything that was sent before the end arrives, although the
// worker was held up until then, whatever is where: in the kernel, in the queue, with
// the worker.
func TestDrainUnderLoad(t *testing.T) {
	var k keep
	c, reg := listening(t, &k, func(c *Config) { c.Sockets = 4; c.BatchRecords = 10 })
	k.held.Lock()
	stop := running(t, c)
	const exporters, each = 20, 100
	for i := range exporters {
		from := dialer(t, netip.AddrFrom4([4]byte{127, 2, 0, byte(i + 1)}).String(), c.Addrs()[0])
		for n := range each {
			write(t, from, numbered(n, 1))
		}
	}
	var stopping sync.WaitGroup
	stopping.Go(stop)
	k.held.Unlock()
	stopping.Wait()
	if got := k.records(); got != exporters*each {
		t.Errorf("%d records of %d", got, exporters*each)
	}
	if n, err := testutil.GatherAndCount(reg, "tapwatch_collector_records_total"); n != 1 || err != nil {
		t.Errorf("%d metrics: %v", n, err)
	}
}

// TestShared: several sockets share the address; an exporter has one worker all the
// same, whatever port it sends from.
func TestShared(t *testing.T) {
	var k keep
	c, reg := listening(t, &k, func(c *Config) { c.Sockets = 4; c.Workers = 3 })
	if len(c.bound()) != 4 || len(c.Addrs()) != 1 {
		t.Fatalf("%d sockets, %d addresses", len(c.bound()), len(c.Addrs()))
	}
	stop := running(t, c)
	const exporters, ports = 8, 16
	for i := range exporters * ports {
		write(t, dialer(t, netip.AddrFrom4([4]byte{127, 3, 0, byte(i%exporters + 1)}).String(), c.Addrs()[0]), []byte("r\x01"))
	}
	waitFor(t, "all records", func() bool { return k.records() == exporters*ports })
	if n, err := testutil.GatherAndCount(reg, "tapwatch_collector_socket_dropped_total"); n != 4 || err != nil {
		t.Errorf("%d sockets have a metric: %v", n, err)
	}
	sockets := c.bound()
	stop()
	used := 0
	for _, s := range sockets {
		if s.last > 0 {
			used++
		}
	}
	if used != len(sockets) {
		t.Errorf("%d of %d sockets were used", used, len(sockets))
	}
	known := make(map[netip.Addr]int)
	for _, w := range c.workers {
		for a, e := range w.decoder.table.byAddr {
			known[a]++
			if e.datagrams.sessions == nil {
				t.Errorf("%s has no session", a)
			}
		}
	}
	for a, n := range known {
		if n != 1 {
			t.Errorf("%s has %d workers", a, n)
		}
	}
	if len(known) != exporters {
		t.Errorf("%d exporters known", len(known))
	}
}

// TestAddressIsOurs: while one tapwatch receives on an address neither another one nor
// another program can, however many sockets there are.
func TestAddressIsOurs(t *testing.T) {
	for _, sockets := range []int{1, 3} {
		several := func(c *Config) { c.Sockets = sockets }
		c, _ := listening(t, new(keep), several)
		address := c.Addrs()[0].String()
		if p, err := net.ListenPacket("udp", address); err == nil {
			_ = p.Close()
			t.Errorf("%d sockets: another program may receive there", sockets)
		}
		cfg := c.cfg
		cfg.Listen = []string{address}
		second, err := New(cfg, []Protocol{stub{}}, nil, nil, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Listen(); err == nil || !strings.Contains(err.Error(), "another program receives there already") {
			t.Errorf("%d sockets: error %v", sockets, err)
		}
	}
}

// TestKernelDrops: what the kernel drops because nobody reads is counted, by socket, and
// without another datagram to come with the count.
func TestKernelDrops(t *testing.T) {
	var k keep
	c, reg := listening(t, &k, func(c *Config) { c.ReceiveBufferBytes = 1 << 16; c.Sockets = 1 })
	from := dialer(t, "127.0.0.1", c.Addrs()[0])
	const n = 500
	payload := numbered(0, 1000)
	for range n {
		write(t, from, payload)
	}
	// The kernel's own count, before anything is read.
	c.health.countKernelDrops()
	lost := c.sockets[0].dropped.Load()
	if lost == 0 || lost >= n {
		t.Fatalf("%d of %d datagrams dropped", lost, n)
	}
	expect := `# HELP tapwatch_collector_socket_dropped_total Datagrams that the kernel dropped because the receive buffer was full.
# TYPE tapwatch_collector_socket_dropped_total counter
tapwatch_collector_socket_dropped_total{listen="` + c.Addrs()[0].String() + `",socket="0"} ` + strconv.FormatUint(lost, 10) + "\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(expect), "tapwatch_collector_socket_dropped_total"); err != nil {
		t.Error(err)
	}
	stop := running(t, c)
	waitFor(t, "the others", func() bool { return k.records() == (n-int(lost))*1000 })
	write(t, from, payload) // with which SO_RXQ_OVFL comes
	waitFor(t, "one more", func() bool { return k.records() == (n-int(lost)+1)*1000 })
	stop()
	total := c.workers[0].decoder.Total()
	if got := total.Dropped[SocketBufferFull]; got != lost {
		t.Errorf("health counts %d, the kernel %d", got, lost)
	}
}

// TestDropsOfAllSockets: health has the sum of what the sockets lost, each loss once.
func TestDropsOfAllSockets(t *testing.T) {
	c, _ := listening(t, new(keep), func(c *Config) { c.Sockets = 3 })
	for round := range 3 {
		for i, s := range c.bound() {
			s.dropped.Add(uint64(i + 1))
		}
		c.health.countKernelDrops()
		c.health.countKernelDrops()
		if total := c.workers[0].decoder.Total(); total.Dropped[SocketBufferFull] != uint64(6*(round+1)) {
			t.Errorf("round %d: dropped %v", round, total.ByReason())
		}
	}
}

// TestSender reads addresses as the kernel writes them.
func TestSender(t *testing.T) {
	for _, c := range []struct {
		raw  func() unix.RawSockaddrInet6
		want string
	}{
		{func() (name unix.RawSockaddrInet6) {
			*(*unix.RawSockaddrInet4)(unsafe.Pointer(&name)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: order(2055), Addr: [4]byte{192, 0, 2, 1}}
			return name
		}, "192.0.2.1:2055"},
		{func() unix.RawSockaddrInet6 {
			return unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: order(4739), Addr: netip.MustParseAddr("2001:db8::1").As16()}
		}, "[2001:db8::1]:4739"},
		{func() unix.RawSockaddrInet6 {
			return unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: order(65535), Addr: netip.MustParseAddr("::ffff:192.0.2.1").As16()}
		}, "192.0.2.1:65535"},
	} {
		raw := c.raw()
		if got := sender(&raw); got.String() != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// order is a port in network order.
func order(port uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, port))
}

// TestDualStack: IPv4 on a socket for both families is IPv4.
func TestDualStack(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	mapped := &unix.SockaddrInet6{Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
	if err := unix.Bind(fd, mapped); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "dual")
	defer func() { _ = file.Close() }()
	packets, err := net.FilePacketConn(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{conn: packets.(*net.UDPConn), clock: &stepClock{read: time.Now}, logger: slog.New(slog.DiscardHandler)}
	if s.raw, err = s.conn.SyscallConn(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.conn.Close() }()
	var got []netip.AddrPort
	r, err := newReceiver(s, func(all []arrival) { got = append(got, all[0].from) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.close() }()
	from := dialer(t, "127.0.0.1", addrPort(s.conn.LocalAddr()))
	write(t, from, []byte("x"))
	if err := r.receive(); err != nil {
		t.Fatal(err)
	}
	if want := addrPort(from.LocalAddr()); len(got) != 1 || got[0] != want {
		t.Errorf("from %v, want %s", got, want)
	}
}

// TestNoAllocations: from the socket to the records a datagram costs no memory.
func TestNoAllocations(t *testing.T) {
	c, _ := listening(t, new(keep), func(c *Config) { c.Sockets, c.Workers = 1, 1 })
	r, err := newReceiver(c.sockets[0], c.dispatcher().dispatch)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.close() }()
	from := dialer(t, "127.0.0.1", c.Addrs()[0])
	w, payload, batches := c.workers[0], numbered(0, 30), 0
	w.timer = time.NewTimer(time.Hour)
	w.records = 10
	w.sink = sinkFunc(func(_ context.Context, b *flow.Batch) error { batches++; return nil })
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := from.Write(payload); err != nil {
			t.Fatal(err)
		}
		if err := r.receive(); err != nil {
			t.Fatal(err)
		}
		w.drain(t.Context())
	}); n > 0 || batches < 1000 {
		t.Errorf("%v allocations a datagram; %d batches", n, batches)
	}
}
