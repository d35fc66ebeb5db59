package simulate_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/simulate"
	"tapwatch/simulate/export/exporttest"
	"tapwatch/simulate/scenario"
)

// wire is a Conn that remembers when how much was written.
type wire struct {
	mu     sync.Mutex
	sent   []time.Time
	closed int
	err    error
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, time.Now())
	return len(b), w.err
}

func (w *wire) Close() error {
	w.closed++
	return nil
}

func (w *wire) dial(simulate.Router, netip.AddrPort) (simulate.Conn, error) { return w, nil }

// TestPacing runs on the fake clock of synctest.
func TestPacing(t *testing.T) {
	for _, speed := range []float64{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			n := network(t, 9, withPlan(scenario.Demo()))
			w := &wire{}
			var told []time.Duration
			begin := time.Now()
			stats, err := n.Run(t.Context(), simulate.Options{
				Target: collector, Speed: speed, Duration: time.Minute, Dial: w.dial,
				OnEvent: func(simulate.Event) { told = append(told, time.Since(begin)) },
			})
			if err != nil {
				t.Fatal(err)
			}
			want := time.Duration(float64(time.Minute) / speed)
			if took := time.Since(begin); took != want {
				t.Errorf("a minute at speed %g took %s, want %s", speed, took, want)
			}
			if uint64(len(w.sent)) != stats.Datagrams || w.closed != len(n.Routers()) {
				t.Errorf("%d datagrams on the wire, stats %+v, %d closed", len(w.sent), stats, w.closed)
			}
			quarter := 0
			for _, at := range w.sent {
				if at.Sub(begin) <= want/4 {
					quarter++
				}
			}
			if share := float64(quarter) / float64(len(w.sent)); share < 0.15 || share > 0.35 {
				t.Errorf("%.0f%% of the datagrams in the first quarter", 100*share)
			}
			if first := time.Duration(float64(10*time.Second) / speed); len(told) != 5 || told[0] < first || told[0] > first+100*time.Millisecond {
				t.Errorf("events told after %v", told)
			}
		})
	}
}

func TestRunWithoutEndEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, 9)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		stats, err := n.Run(ctx, simulate.Options{Target: collector, Dial: (&wire{}).dial})
		if err != nil || stats.Datagrams == 0 {
			t.Errorf("stats %+v, error %v", stats, err)
		}
	})
}

func TestSendErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network(t, 9)
		reg := prometheus.NewRegistry()
		var log bytes.Buffer
		stats, err := n.Run(t.Context(), simulate.Options{
			Target: collector, Duration: 5 * time.Second, Dial: (&wire{err: syscall.ECONNREFUSED}).dial,
			Registerer: reg, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if stats.Datagrams != 0 || stats.SendErrors == 0 {
			t.Errorf("stats %+v", stats)
		}
		if lines := strings.Count(log.String(), "datagram not sent"); lines != len(n.Routers()) {
			t.Errorf("%d lines in the log, want one a router", lines)
		}
		if got := total(t, reg, "tapwatch_simulate_send_errors_total"); got != float64(stats.SendErrors) {
			t.Errorf("send_errors_total is %g, want %d", got, stats.SendErrors)
		}
		broken := errors.New("cable cut")
		if _, err := n.Run(t.Context(), simulate.Options{Target: collector, Duration: 5 * time.Second, Dial: (&wire{err: broken}).dial}); !errors.Is(err, broken) {
			t.Errorf("error %v, want the wire's", err)
		}
	})
}

func total(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}

// TestRunOverUDP sends to a real socket: each router from its own address.
func TestRunOverUDP(t *testing.T) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadBuffer(8 << 20); err != nil {
		t.Fatal(err)
	}
	n := network(t, 20)
	reg := prometheus.NewRegistry()
	var stats simulate.Stats
	var runErr error
	done := make(chan struct{})
	go func() {
		defer close(done)
		stats, runErr = n.Run(t.Context(), simulate.Options{
			Target: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Speed: 40, Duration: 20 * time.Second, Registerer: reg,
		})
		if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			t.Error(err)
		}
	}()
	decoders := map[netip.Addr]*exporttest.Decoder{}
	records, datagrams := uint64(0), uint64(0)
	buf := make([]byte, 65536)
	for {
		size, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			break
		}
		datagrams++
		if decoders[from.Addr()] == nil {
			decoders[from.Addr()] = &exporttest.Decoder{}
		}
		d, err := decoders[from.Addr()].Decode(buf[:size])
		if err != nil {
			t.Fatal(err)
		}
		records += uint64(len(d.Records))
	}
	<-done
	if runErr != nil {
		t.Fatal(runErr)
	}
	if datagrams != stats.Datagrams || records != stats.Records || stats.SendErrors != 0 {
		t.Errorf("%d datagrams with %d records received, stats %+v", datagrams, records, stats)
	}
	for _, r := range n.Routers() {
		if decoders[r.Address] == nil {
			t.Errorf("nothing came from %s of router %s", r.Address, r.Name)
		}
	}
	if got := total(t, reg, "tapwatch_simulate_records_total"); got != float64(stats.Records) {
		t.Errorf("records_total is %g, want %d", got, stats.Records)
	}
	if got := total(t, reg, "tapwatch_simulate_datagrams_total"); got != float64(stats.Datagrams) {
		t.Errorf("datagrams_total is %g, want %d", got, stats.Datagrams)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
}

func TestRunRefusals(t *testing.T) {
	n := network(t, 9)
	for target, want := range map[string]string{
		"192.0.2.1:2055": "loopback address and port only", "8.8.8.8:2055": "loopback address and port only",
		"[::1]:2055": "loopback address and port only", "127.0.0.1:0": "loopback address and port only",
	} {
		dialled := false
		_, err := n.Run(t.Context(), simulate.Options{
			Target: netip.MustParseAddrPort(target), Duration: time.Second,
			Dial: func(simulate.Router, netip.AddrPort) (simulate.Conn, error) {
				dialled = true
				return &wire{}, nil
			},
		})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), target) || dialled {
			t.Errorf("%s: error %v, dialled %t", target, err, dialled)
		}
	}
	for _, o := range []simulate.Options{{Speed: -1}, {Duration: -1}} {
		o.Target = collector
		if _, err := n.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "must be positive") {
			t.Errorf("error %v", err)
		}
	}
}
