package collector_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/collector"
	"tapwatch/flow"
)

// sink keeps what it is given.
type sink struct {
	mu     sync.Mutex
	batch  flow.Batch
	health []flow.Health
	// before is called before a batch is taken; its error is Write's.
	before func(ctx context.Context, b *flow.Batch) error
}

func (s *sink) Write(ctx context.Context, b *flow.Batch) error {
	if s.before != nil {
		if err := s.before(ctx, b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Len() {
		s.batch.AppendFrom(b, i)
	}
	return nil
}

func (s *sink) WriteHealth(_ context.Context, rows []flow.Health) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = append(s.health, rows...)
	return nil
}

func (s *sink) records() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batch.Len()
}

// dropped sums what health counts as dropped for a reason.
func (s *sink) dropped(reason string) (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.health {
		n += h.Dropped[reason]
	}
	return n
}

// server is a running Collector.
type server struct {
	*collector.Collector
	reg  *prometheus.Registry
	stop func()
}

// start runs a Collector on two free ports until the test ends or stop is called.
func start(t *testing.T, s *sink, change func(*collector.Config)) *server {
	t.Helper()
	cfg := collector.DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0", "127.0.0.1:0"}
	cfg.StateFile = ""
	cfg.Workers = 2
	cfg.FlushInterval = 10 * time.Millisecond
	if change != nil {
		change(&cfg)
	}
	v := &server{reg: prometheus.NewRegistry()}
	var err error
	v.Collector, err = collector.New(cfg, protocols, nil, s, s, slog.New(slog.DiscardHandler), v.reg)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	v.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(v.stop)
	return v
}

// metric gives the value of a metric, with labels as in {reason="refused"}.
func (v *server) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := v.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			full := f.GetName()
			for _, l := range m.GetLabel() {
				full += "{" + l.GetName() + "=" + l.GetValue() + "}"
			}
			if full == name {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// eventually waits until good, for as long as a slow machine may take.
func eventually(t *testing.T, what string, good func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !good(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// dial makes a socket that sends from the given address of 127.0.0.0/8.
func dial(t *testing.T, from string, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)}, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func send(t *testing.T, c *net.UDPConn, payload []byte) {
	t.Helper()
	if _, err := c.Write(payload); err != nil {
		t.Fatal(err)
	}
}

// netflow5 is a datagram of two or more records, and how many.
func netflow5(t *testing.T) ([]byte, int) {
	t.Helper()
	g := datagrams(t, filepath.Join(fixtures, "softflowd-netflow5.pcap"))[0]
	return g.Payload, int(g.Payload[3])
}

// TestReceive sends every fixture from an address of its own, to both sockets.
func TestReceive(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	var s sink
	v := start(t, &s, nil)
	want, sent := 0, 0
	for i, file := range files {
		c := dial(t, netip.AddrFrom4([4]byte{127, 1, 0, byte(i + 1)}).String(), v.Addrs()[i%2])
		for _, g := range datagrams(t, file) {
			send(t, c, g.Payload)
			sent++
		}
		b, _ := decodeFile(t, file)
		want += b.Len()
	}
	eventually(t, "all records", func() bool { return s.records() == want })
	byExporter := make(map[string]int)
	for _, e := range s.batch.Exporter {
		byExporter[flow.Addr(e).String()]++
	}
	for i, file := range files {
		b, _ := decodeFile(t, file)
		if got := byExporter[netip.AddrFrom4([4]byte{127, 1, 0, byte(i + 1)}).String()]; got != b.Len() {
			t.Errorf("%s: %d records, want %d", file, got, b.Len())
		}
	}
	if got := v.metric(t, "tapwatch_collector_records_total"); got != float64(want) {
		t.Errorf("metric counts %v records, want %d", got, want)
	}
	if got := v.metric(t, "tapwatch_collector_datagrams_total"); got != float64(sent) {
		t.Errorf("metric counts %v datagrams, want %d", got, sent)
	}
	if got := v.metric(t, "tapwatch_collector_exporters"); got != float64(len(files)) {
		t.Errorf("metric counts %v exporters", got)
	}
	if problems, err := testutil.GatherAndLint(v.reg); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
	v.stop()
	if len(s.health) != len(files) {
		t.Errorf("%d rows of health, want one an exporter", len(s.health))
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cfg := collector.DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0", taken.LocalAddr().String()}
	c, err := collector.New(cfg, protocols, nil, &sink{}, &sink{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	err = c.Listen()
	if err == nil || !strings.Contains(err.Error(), taken.LocalAddr().String()) || !strings.Contains(err.Error(), "collector.listen") {
		t.Errorf("error %v", err)
	}
	if len(c.Addrs()) != 0 {
		t.Errorf("still listens on %v", c.Addrs())
	}
}

// TestDrain: what the kernel has received when the collector is told to stop is
// not lost, and neither is a batch that waits to be full.
func TestDrain(t *testing.T) {
	payload, records := netflow5(t)
	var s sink
	release := make(chan struct{})
	s.before = func(context.Context, *flow.Batch) error { <-release; return nil }
	v := start(t, &s, func(c *collector.Config) { c.FlushInterval = time.Minute })
	c := dial(t, "127.0.0.1", v.Addrs()[0])
	const n = 100
	for range n {
		send(t, c, payload)
	}
	close(release)
	v.stop()
	if got := s.records(); got != n*records {
		t.Errorf("%d records, want %d", got, n*records)
	}
}

// TestQueueFull: when the sink is stuck, datagrams are dropped and counted, by
// exporter, and memory stays bounded.
func TestQueueFull(t *testing.T) {
	payload, records := netflow5(t)
	entered, release := make(chan struct{}, 1000), make(chan struct{})
	var s sink
	s.before = func(context.Context, *flow.Batch) error { entered <- struct{}{}; <-release; return nil }
	v := start(t, &s, func(c *collector.Config) {
		c.BatchRecords = 1
		c.QueueBytes = 1 << 16
		c.Workers = 1
	})
	c := dial(t, "127.0.0.9", v.Addrs()[0])
	send(t, c, payload)
	<-entered // the worker is stuck from here on
	const n = 200
	for range n {
		send(t, c, payload)
	}
	close(release)
	// All that was sent is either a record or counted.
	eventually(t, "every datagram accounted for", func() bool {
		return s.records()/records+int(v.metric(t, "tapwatch_collector_dropped_total{reason=queue_full}")) == n+1
	})
	v.stop()
	if got := s.dropped("queue_full"); got == 0 {
		t.Error("no datagram found the queue full")
	}
	for _, h := range s.health {
		if h.Exporter != netip.MustParseAddr("127.0.0.9") {
			t.Errorf("counted for %s", h.Exporter)
		}
	}
}

// TestRestart: a collector that is started again knows the templates of before.
func TestRestart(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.json")
	keep := func(c *collector.Config) { c.StateFile = state }
	all := datagrams(t, filepath.Join(fixtures, "softflowd-ipfix.pcap"))
	var before, after sink
	v := start(t, &before, keep)
	c := dial(t, "127.0.0.1", v.Addrs()[0])
	for _, g := range all {
		send(t, c, g.Payload)
	}
	eventually(t, "records", func() bool { return before.records() > 0 })
	v.stop()
	v = start(t, &after, keep)
	eventually(t, "the templates", func() bool { return v.metric(t, "tapwatch_collector_templates") > 0 })
	v.stop()
	if got := v.metric(t, "tapwatch_collector_state_restored_exporters"); got != 1 {
		t.Errorf("%v exporters restored", got)
	}
}

// TestSinkFails: records that the sink does not take are counted.
func TestSinkFails(t *testing.T) {
	payload, records := netflow5(t)
	var s sink
	s.before = func(context.Context, *flow.Batch) error { return errors.New("storage is full") }
	v := start(t, &s, nil)
	send(t, dial(t, "127.0.0.1", v.Addrs()[0]), payload)
	eventually(t, "the loss", func() bool {
		return v.metric(t, "tapwatch_collector_dropped_total{reason=sink_failed}") == float64(records)
	})
	v.stop()
	if got := s.dropped("sink_failed"); got != uint64(records) {
		t.Errorf("health counts %d", got)
	}
}

func TestConfig(t *testing.T) {
	good := collector.DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults are bad: %v", err)
	}
	for want, change := range map[string]func(*collector.Config){
		"listen: ":                 func(c *collector.Config) { c.Listen = nil },
		"listen[1]: ":              func(c *collector.Config) { c.Listen = []string{":2055", "2055"} },
		"listen[0]: ":              func(c *collector.Config) { c.Listen = []string{":flows"} },
		"exporters: ":              func(c *collector.Config) { c.Exporters = "some" },
		"workers: ":                func(c *collector.Config) { c.Workers = -1 },
		"flush_interval: ":         func(c *collector.Config) { c.FlushInterval = 0 },
		"limits.max_exporters: ":   func(c *collector.Config) { c.Limits.MaxExporters = 0 },
		"limits.max_template_fiel": func(c *collector.Config) { c.Limits.MaxTemplateFields = 0 },
		"limits.max_template_fields_total: ": func(c *collector.Config) {
			c.Limits.MaxTemplateFieldsTotal = c.Limits.MaxTemplateFields - 1
		},
	} {
		c := collector.DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want %s…, got %v", want, err)
		}
	}
}
