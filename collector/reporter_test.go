package collector

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
)

// healthFunc is a HealthSink.
type healthFunc func(ctx context.Context, rows []flow.Health) error

func (f healthFunc) WriteHealth(ctx context.Context, rows []flow.Health) error { return f(ctx, rows) }

func newStubCollector(t *testing.T, sink Sink, health HealthSink) *Collector {
	t.Helper()
	cfg := DefaultConfig()
	cfg.StateFile = ""
	cfg.Workers = 2
	c, err := New(cfg, []Protocol{stub{}}, nil, sink, health, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHealthIsOfferedAgainUnchanged: rows whose write failed may be stored all the
// same; they are offered again as they were, and apart from later ones.
func TestHealthIsOfferedAgainUnchanged(t *testing.T) {
	var calls [][]flow.Health
	fails := 2
	c := newStubCollector(t, nil, healthFunc(func(_ context.Context, rows []flow.Health) error {
		calls = append(calls, slices.Clone(rows))
		if fails--; fails >= 0 {
			return errors.New("no answer")
		}
		return nil
	}))
	var b flow.Batch
	for minute := range 4 {
		at := start.Add(time.Duration(minute) * time.Minute)
		for n := range 20 {
			c.workers[n%2].decoder.Datagram(&b, port(addr(n)), at, []byte("r\x01"))
		}
		c.health.report(t.Context(), at)
	}
	var minutes []int
	for _, rows := range calls {
		at := rows[0].At
		minutes = append(minutes, int(at.Sub(start).Minutes()))
		if len(rows) != 20 || slices.ContainsFunc(rows, func(h flow.Health) bool { return !h.At.Equal(at) || h.Datagrams != 1 }) {
			t.Errorf("%d rows of minute %s, or mixed with others", len(rows), at)
		}
	}
	if want := []int{0, 0, 0, 1, 2, 3}; !slices.Equal(minutes, want) {
		t.Fatalf("intervals written: %v, want %v", minutes, want)
	}
	if !reflect.DeepEqual(calls[0], calls[1]) || !reflect.DeepEqual(calls[0], calls[2]) {
		t.Error("the rows differ from those of the first attempt")
	}
}

// TestPendingHealthIsBounded: a sink that fails for ever costs whole intervals, the
// oldest.
func TestPendingHealthIsBounded(t *testing.T) {
	c := newStubCollector(t, nil, healthFunc(func(context.Context, []flow.Health) error { return errors.New("broken") }))
	interval := func(n int) []flow.Health { return slices.Repeat([]flow.Health{{Datagrams: uint64(n)}}, maxPending/2) }
	c.health.pending = [][]flow.Health{interval(1), interval(2), interval(3)}
	c.health.report(t.Context(), start)
	if got := c.health.pending; len(got) != 2 || got[0][0].Datagrams != 2 {
		t.Errorf("%d intervals wait", len(got))
	}
}

// TestLastHealth: the last counts are written even if the records took all the time
// there was for them.
func TestLastHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := sinkFunc(func(ctx context.Context, _ *flow.Batch) error {
			<-ctx.Done()
			return ctx.Err()
		})
		var last []flow.Health
		var alive error
		var bounded bool
		c := newStubCollector(t, stuck, healthFunc(func(ctx context.Context, rows []flow.Health) error {
			last, alive = rows, ctx.Err()
			_, bounded = ctx.Deadline()
			return nil
		}))
		c.cfg.Listen = nil // what follows needs no network
		ctx, cancel := context.WithCancel(t.Context())
		c.dispatcher().dispatch([]arrival{{from: port(addr(1)), at: start.UnixMilli(), payload: []byte("r\x01")}})
		cancel()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if sumDropped(last, "sink_failed") != 1 || alive != nil || !bounded {
			t.Errorf("rows %+v, context: %v, has a deadline: %t", last, alive, bounded)
		}
	})
}
