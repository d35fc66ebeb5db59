package collector

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestReceiveErrors: a reader outlives any number of errors, without spinning, and
// stops at once when it is told to.
func TestReceiveErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socket{logger: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		const failures = 1000
		began, received := time.Now(), 0
		receive := func() error {
			switch n := s.failed.Load(); {
			case n == failures && received < 10:
				received++
				return nil
			case n == failures+1:
				// It pauses after this one, and not for long: it has received.
				time.AfterFunc(minPause, cancel)
			}
			return syscall.ENOBUFS
		}
		if err := s.persist(ctx, receive); err != nil {
			t.Fatal(err)
		}
		if got := s.failed.Load(); received != 10 || got != failures+2 {
			t.Errorf("received %d, failed %d times", received, got)
		}
		if took := time.Since(began); took < failures*maxPause*9/10 || took > failures*maxPause {
			t.Errorf("took %s", took)
		}
	})
}

func TestClosedSocket(t *testing.T) {
	s := &socket{logger: slog.New(slog.DiscardHandler)}
	if err := s.persist(t.Context(), func() error { return &net.OpError{Err: net.ErrClosed} }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestReceiveErrorsMetric(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Listen = []string{"127.0.0.1:0"}
	reg := prometheus.NewRegistry()
	c, err := New(cfg, []Protocol{stub{}}, nil, nil, nil, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	c.sockets[0].failed.Add(3)
	want := "# HELP tapwatch_collector_receive_errors_total Receives that failed.\n" +
		"# TYPE tapwatch_collector_receive_errors_total counter\n" +
		`tapwatch_collector_receive_errors_total{listen="` + c.Addrs()[0].String() + "\"} 3\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tapwatch_collector_receive_errors_total"); err != nil {
		t.Error(err)
	}
}
