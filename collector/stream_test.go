package collector

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/flow"
)

// framed is a protocol whose datagrams are IPFIX messages; each byte after the header
// is a record with that sampling interval, zeros at the end are not. A session remembers one template for each
// message.
type framed struct {
	stub
	templates *int
}

func (framed) Match(payload []byte) bool { return len(payload) > 1 && payload[1] == ipfixVersion }
func (framed) Sessions(Limits) func() Session {
	return func() Session { return framed{templates: new(int)} }
}
func (f framed) Size() Size { return Size{Templates: *f.templates, WaitingSets: 1, WaitingBytes: 10} }

func (f framed) Decode(b *flow.Batch, d *Datagram) int8 {
	*f.templates++
	d.Tally.LostRecords++
	d.Tally.LostDatagrams += 2
	d.Tally.LateDatagrams += 3
	d.Tally.Restarts += 4
	return stub{}.Decode(b, &Datagram{Payload: append([]byte("r"), bytes.TrimRight(d.Payload[ipfixHeader:], "\x00")...)})
}

// numberedMessage is an IPFIX message whose records are those of numbered.
func numberedMessage(first, n int) []byte { return paddedMessage(first, n, ipfixHeader+n) }

// paddedMessage is one that is longer.
func paddedMessage(first, n, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint16(b, ipfixVersion)
	binary.BigEndian.PutUint16(b[2:], uint16(size))
	copy(b[ipfixHeader:], numbered(first, n)[1:])
	return b
}

// logs is a log that tests read while it is written.
type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *logs) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.String(), s)
}

// streaming is a running Collector that speaks framed.
type streaming struct {
	*Collector
	keep
	log  logs
	reg  *prometheus.Registry
	stop func()
}

func startStreaming(t *testing.T, inventory Exporters, change func(*Config)) *streaming {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen, cfg.TCP = nil, []string{"127.0.0.1:0"}
	cfg.StateFile = ""
	cfg.Workers = 2
	cfg.FlushInterval = time.Millisecond
	if change != nil {
		change(&cfg)
	}
	s := &streaming{reg: prometheus.NewRegistry()}
	var err error
	if s.Collector, err = New(cfg, []Protocol{framed{}}, inventory, &s.keep, &s.keep, slog.New(slog.NewTextHandler(&s.log, nil)), s.reg); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	s.stop = running(t, s.Collector)
	return s
}

// dropped is what was counted for a reason.
func (s *streaming) dropped(r Reason) (n uint64) {
	for _, w := range s.workers {
		w.mu.Lock()
		t := w.decoder.Total()
		w.mu.Unlock()
		n += t.Dropped[r]
	}
	return n
}

// metric gives the value of a metric, with its labels.
func (s *streaming) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	families, err := s.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == "tapwatch_collector_"+name && strings.Join(values, " ") == strings.Join(labels, " ") {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s %v", name, labels)
	return 0
}

func (s *streaming) dial(t *testing.T, from string) *net.TCPConn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", s.StreamAddrs("tcp")[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// closedByPeer makes sure that the connection is ended from there.
func closedByPeer(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection is open: %v", err)
	}
}

// TestTCP: messages come in order whatever the pieces they are sent in; two connections
// of one exporter are apart, and forgotten at their ends. Every metric of connections
// moves.
func TestTCP(t *testing.T) {
	s := startStreaming(t, nil, nil)
	one, two := s.dial(t, "127.0.0.5"), s.dial(t, "127.0.0.5")
	message := numberedMessage(0, 251)
	const n = 20
	for i := range n {
		cut := i * len(message) / n
		write(t, one, message[:cut])
		write(t, one, message[cut:])
	}
	write(t, one, bytes.Repeat(message, n)) // joined
	waitFor(t, "all records", func() bool { return s.records() == 2*n*251 })
	checkNumbered(t, &s.keep, 2*n*251)
	write(t, two, message)
	waitFor(t, "the other's", func() bool { return s.records() == (2*n+1)*251 })
	for name, want := range map[string]float64{
		"templates": 2*n + 1, "waiting_sets": 2, "waiting_bytes": 20,
		"datagrams_total": 2*n + 1, "records_total": (2*n + 1) * 251,
		"lost_records_total": 2*n + 1, "lost_datagrams_total": 2 * (2*n + 1), "late_datagrams_total": 3 * (2*n + 1), "restarts_total": 4 * (2*n + 1),
	} {
		if got := s.metric(t, name); got != want {
			t.Errorf("metric %s: %v, want %v", name, got, want)
		}
	}
	if got := s.metric(t, "connections", "tcp"); got != 2 {
		t.Errorf("%v connections", got)
	}
	if got := s.metric(t, "receive_errors_total", "tcp "+s.StreamAddrs("tcp")[0].String()); got != 0 {
		t.Errorf("%v errors", got)
	}
	_ = one.Close()
	waitFor(t, "the end of one", func() bool { return s.metric(t, "templates") == 1 })
	_ = two.Close()
	waitFor(t, "the end of the other", func() bool {
		return s.metric(t, "templates")+s.metric(t, "waiting_sets")+s.metric(t, "connections", "tcp") == 0
	})
	if got := s.metric(t, "connections_total", "tcp"); got != 2 {
		t.Errorf("%v connections in all", got)
	}
	for _, w := range s.workers {
		for _, e := range w.decoder.table.byAddr {
			if len(e.streams) > 0 {
				t.Errorf("%d streams of %s are known", len(e.streams), e.addr)
			}
		}
	}
	if problems, err := testutil.GatherAndLint(s.reg); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
	if n := s.dropped(ConnectionError); n != 0 {
		t.Errorf("%d connections broke", n)
	}
}

// TestNoMessages: what is no IPFIX ends the connection; that is counted for the exporter
// and logged.
func TestNoMessages(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		end     bool
		logged  string
	}{
		{"another protocol", []byte("GET / HTTP/1.1\r\n\r\n"), false, "begins with version"},
		{"too long", ipfixMessage(1001, 1), false, "max_message_bytes"},
		{"cut", ipfixMessage(100, 1)[:50], true, "ended within a message"},
	} {
		s := startStreaming(t, nil, func(c *Config) { c.Limits.MaxMessageBytes = 1000 })
		conn := s.dial(t, "127.0.0.6")
		write(t, conn, numberedMessage(0, 3))
		write(t, conn, c.payload)
		if c.end {
			_ = conn.CloseWrite()
		}
		closedByPeer(t, conn)
		waitFor(t, c.name, func() bool {
			return s.dropped(ConnectionError) == 1 && s.records() == 3 && s.log.has(c.logged) && s.log.has("exporter=127.0.0.6:")
		})
		s.stop()
	}
}

func TestConnectionLimit(t *testing.T) {
	s := startStreaming(t, nil, func(c *Config) { c.Limits.MaxConnections = 2 })
	first := s.dial(t, "127.0.0.7")
	s.dial(t, "127.0.0.7")
	waitFor(t, "two", func() bool { return s.metric(t, "connections", "tcp") == 2 })
	closedByPeer(t, s.dial(t, "127.0.0.7"))
	if got := s.dropped(ConnectionLimit); got != 1 {
		t.Errorf("%d refused", got)
	}
	_ = first.Close()
	waitFor(t, "one to end", func() bool { return s.metric(t, "connections", "tcp") == 1 })
	write(t, s.dial(t, "127.0.0.7"), numberedMessage(0, 5))
	waitFor(t, "records of the next", func() bool { return s.records() == 5 })
}

func TestUnlistedConnections(t *testing.T) {
	s := startStreaming(t, listOf{netip.MustParseAddr("127.0.0.8"): 0}, func(c *Config) { c.Exporters = ExportersListed })
	closedByPeer(t, s.dial(t, "127.0.0.9"))
	if got := s.dropped(Refused); got != 1 || s.metric(t, "connections_total", "tcp") != 0 {
		t.Errorf("%d refused", got)
	}
	write(t, s.dial(t, "127.0.0.8"), numberedMessage(0, 5))
	waitFor(t, "records of the listed", func() bool { return s.records() == 5 })
}

// TestLogIsBounded: peers cannot fill the log; everything is counted all the same.
func TestLogIsBounded(t *testing.T) {
	s := startStreaming(t, nil, nil)
	const n = 100
	for range n {
		c := s.dial(t, "127.0.0.6")
		write(t, c, []byte("nonsense"))
		closedByPeer(t, c)
	}
	waitFor(t, "all counted", func() bool { return s.dropped(ConnectionError) == n })
	s.stop()
	if lines := strings.Count(s.log.String(), "connection dropped"); lines > n/2 || lines == 0 {
		t.Errorf("%d lines", lines)
	}
}

// TestBackPressure: while the sink is stuck connections wait; nothing is dropped, and
// at the end what has arrived by then is received.
func TestBackPressure(t *testing.T) {
	s := startStreaming(t, nil, func(c *Config) { c.QueueBytes, c.BatchRecords, c.Workers = 1<<16, 1, 1 })
	s.held.Lock()
	conn := s.dial(t, "127.0.0.5")
	// More than queue and worker take.
	const n, each, size = 20, 10, 20_000
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range n {
			if _, err := conn.Write(paddedMessage(i*each, each, size)); err != nil {
				t.Error(err)
			}
		}
	})
	waitFor(t, "a full queue", func() bool { return s.workers[0].queue.waitingBytes() > 1<<16-2*size })
	sending.Wait() // the rest is in the kernel's buffers
	var stopping sync.WaitGroup
	stopping.Go(s.stop)
	s.held.Unlock()
	stopping.Wait()
	checkNumbered(t, &s.keep, n*each)
	if got := s.dropped(QueueFull); got != 0 {
		t.Errorf("%d dropped", got)
	}
}

// TestListenErrors name address and setting.
func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cfg := DefaultConfig()
	cfg.Listen, cfg.TCP = []string{"127.0.0.1:0"}, []string{taken.Addr().String()}
	c, err := New(cfg, []Protocol{framed{}}, nil, nil, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	err = c.Listen()
	for _, want := range []string{"TCP " + taken.Addr().String(), "collector.tcp", "another program"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v has no %q", err, want)
		}
	}
	if len(c.Addrs())+len(c.StreamAddrs("tcp")) > 0 {
		t.Errorf("still listens on %v", c.Addrs())
	}
}

// TestHandshakeDeadline: a peer that connects and says nothing is let go, and counted.
func TestHandshakeDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := newAuthority(t).identity(t)
		ours, theirs := net.Pipe()
		c := newStubCollector(t, nil, nil)
		l := &streamListener{Listener: pipeListener{}, transport: transportTLS, secure: id.secureTLS()}
		began, left := time.Now(), false
		c.streams.serve(t.Context(), l, ours, port(addr(1)), false, func() { left = true })
		if took := time.Since(began); took != handshakeTime || !left {
			t.Errorf("took %s; its place is free: %t", took, left)
		}
		if n := c.workerOf(addr(1)).decoder.Total(); n.Dropped[ConnectionError] != 1 {
			t.Errorf("dropped %v", n.ByReason())
		}
		_ = theirs.Close()
	})
}

// pipeListener has an address alone.
type pipeListener struct{ net.Listener }

func (pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestIdle: a connection whose peer cannot say that it is gone ends after a while, and
// not before.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c := newStubCollector(t, nil, nil)
		l := &streamListener{Listener: pipeListener{}, records: true}
		go func() {
			for range 3 {
				time.Sleep(dtlsIdle - time.Second)
				_, _ = theirs.Write(ipfixMessage(20, 1))
			}
		}()
		began, messages := time.Now(), 0
		err := c.streams.receive(t.Context(), l, &connection{Conn: ours, ctx: t.Context(), idle: dtlsIdle, unread: unread(ours)}, func([]byte) { messages++ })
		if took := time.Since(began); !errors.Is(err, errIdle) || messages != 3 || took != 4*dtlsIdle-3*time.Second {
			t.Errorf("%d messages, after %s: %v", messages, took, err)
		}
	})
}

// TestStopIsBounded: a peer that never ceases to send does not hold up the end, and one
// that is silent does not either.
func TestStopIsBounded(t *testing.T) {
	for busy, most := range map[bool]time.Duration{false: arrivePause, true: drainTime + time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			var sending sync.WaitGroup
			defer sending.Wait()
			defer func() { _ = theirs.Close() }()
			c := newStubCollector(t, nil, nil)
			l := &streamListener{Listener: pipeListener{}}
			if busy {
				sending.Go(func() {
					for err := error(nil); err == nil; _, err = theirs.Write(ipfixMessage(20, 1)) {
						time.Sleep(10 * time.Millisecond)
					}
				})
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			began := time.Now()
			err := c.streams.receive(ctx, l, &connection{Conn: ours, ctx: ctx, unread: unread(ours)}, func([]byte) {})
			_ = ours.Close()
			if took := time.Since(began) - time.Second; !errors.Is(err, errStopped) || took > most {
				t.Errorf("busy %t: after %s: %v", busy, took, err)
			}
		})
	}
}

// TestFirstMessage: an exporter that is not listed and sends no whole message gives its
// place back; a listed one, and one that has sent a message, may be silent.
func TestFirstMessage(t *testing.T) {
	for _, c := range []struct {
		name         string
		listed, says bool
		over         bool
	}{
		{"a stranger that is silent", false, false, true},
		{"a stranger that has spoken", false, true, false},
		{"a listed one that is silent", true, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			collector := newStubCollector(t, nil, nil)
			l := &streamListener{Listener: pipeListener{}, transport: transportTCP}
			began, took := time.Now(), time.Duration(0)
			var serving sync.WaitGroup
			serving.Go(func() {
				collector.streams.serve(t.Context(), l, ours, port(addr(1)), c.listed, func() { took = time.Since(began) })
			})
			if c.says {
				write(t, theirs, ipfixMessage(20, 1))
			}
			// Its bytes, one by one, make no message.
			for _, b := range ipfixMessage(1000, 1)[:10] {
				time.Sleep(firstTime / 20)
				write(t, theirs, []byte{b})
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if over := took > 0; over != c.over || over && took != firstTime {
				t.Errorf("%s: over %t, after %s", c.name, over, took)
			}
			if n := collector.workerOf(addr(1)).decoder.Total().Dropped[ConnectionError]; (n == 1) != c.over {
				t.Errorf("%s: %d dropped", c.name, n)
			}
			_ = theirs.Close()
			serving.Wait()
		})
	}
}

// TestListedPlaces: strangers that take all places leave listed exporters theirs.
func TestListedPlaces(t *testing.T) {
	s := startStreaming(t, listOf{netip.MustParseAddr("127.0.0.8"): 0}, func(c *Config) { c.Limits.MaxConnections = 2 })
	for range 2 {
		s.dial(t, "127.0.0.9")
	}
	waitFor(t, "the strangers", func() bool { return s.metric(t, "connections", "tcp") == 2 })
	closedByPeer(t, s.dial(t, "127.0.0.9"))
	write(t, s.dial(t, "127.0.0.8"), numberedMessage(0, 5))
	write(t, s.dial(t, "127.0.0.8"), numberedMessage(0, 5))
	waitFor(t, "records of the listed", func() bool { return s.records() == 10 })
	closedByPeer(t, s.dial(t, "127.0.0.8"))
	if got := s.dropped(ConnectionLimit); got != 2 {
		t.Errorf("%d refused", got)
	}
}

// TestSilentConnections: whoever connects and sends nothing leaves nothing in the queue.
func TestSilentConnections(t *testing.T) {
	s := startStreaming(t, nil, func(c *Config) { c.Workers, c.BatchRecords = 1, 1 })
	s.held.Lock()
	speaks := s.dial(t, "127.0.0.5")
	write(t, speaks, numberedMessage(0, 1))
	waitFor(t, "the worker to be held", func() bool {
		q := s.workers[0].queue
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.bytes == 0 && q.unsent != 0
	})
	for range 10 {
		_ = s.dial(t, "127.0.0.6").Close()
	}
	waitFor(t, "their ends", func() bool {
		return s.metric(t, "connections_total", "tcp") == 11 && s.metric(t, "connections", "tcp") == 1
	})
	if n := s.workers[0].queue.waitingBytes(); n != 0 {
		t.Errorf("%d bytes wait", n)
	}
	s.held.Unlock()
	waitFor(t, "the record", func() bool { return s.records() == 1 })
}

// TestRefusedConnectionsAreTheirs: the health of an exporter that may not connect says so.
func TestRefusedConnectionsAreTheirs(t *testing.T) {
	s := startStreaming(t, nil, func(c *Config) { c.Exporters = ExportersListed })
	closedByPeer(t, s.dial(t, "127.0.0.9"))
	from := netip.MustParseAddr("127.0.0.9")
	w := s.workerOf(from)
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.decoder.table.byAddr[from]; e == nil || e.total.Dropped[Refused] != 1 {
		t.Errorf("the exporter's entry: %v", e)
	}
}
