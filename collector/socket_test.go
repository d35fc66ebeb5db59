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
	for _, s := range c.sockets { // of one address
		s.failed.Add(uint64(3 / len(c.sockets)))
	}
	c.sockets[0].failed.Add(uint64(3 % len(c.sockets)))
	want := "# HELP tapwatch_collector_receive_errors_total Receives that failed, and connections that could not be accepted.\n" +
		"# TYPE tapwatch_collector_receive_errors_total counter\n" +
		`tapwatch_collector_receive_errors_total{listen="` + c.Addrs()[0].String() + "\"} 3\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tapwatch_collector_receive_errors_total"); err != nil {
		t.Error(err)
	}
}

// TestDrainOutlivesErrors: what fails at the end is counted and tried again; it does not
// end what is still to read.
func TestDrainOutlivesErrors(t *testing.T) {
	for _, c := range []struct {
		name           string
		rest           []any // what a reading gives: more, or an error; the last again and again
		reads, failed  int
		shorter, least time.Duration
	}{
		{"nothing", []any{false}, 1, 0, time.Second, 0},
		{"two batches", []any{true, true, false}, 3, 0, time.Second, 0},
		{"failures between", []any{true, syscall.ENOBUFS, syscall.ENOMEM, true, false}, 5, 2, time.Second, 0},
		{"closed", []any{true, net.ErrClosed}, 2, 0, time.Second, 0},
		{"failures for ever", []any{syscall.ENOBUFS}, 11, 11, drainTime + maxPause, drainTime},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &socket{logger: slog.New(slog.DiscardHandler)}
			began, reads := time.Now(), 0
			s.drain(func(time.Duration) (bool, error) {
				step := c.rest[min(reads, len(c.rest)-1)]
				reads++
				if err, failed := step.(error); failed {
					return false, err
				}
				return step.(bool), nil
			})
			took := time.Since(began)
			if reads != c.reads || s.failed.Load() != uint64(c.failed) || took > c.shorter || took < c.least {
				t.Errorf("%s: %d reads, %d failed, took %s", c.name, reads, s.failed.Load(), took)
			}
		})
	}
}

// TestDrainIsBounded: datagrams that never cease do not hold up the end.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &socket{logger: slog.New(slog.DiscardHandler)}
		began := time.Now()
		s.drain(func(time.Duration) (bool, error) { time.Sleep(time.Millisecond); return true, nil })
		if took := time.Since(began); took != drainTime {
			t.Errorf("took %s", took)
		}
	})
}

// TestStamp: the kernel's stamp counts, but for a clock that went ahead, and never
// before what settle gave.
func TestStamp(t *testing.T) {
	const now = 10_000
	for _, c := range []struct {
		name            string
		at, floor, want int64
	}{
		{"as the kernel says", 9_000, 8_000, 9_000},
		{"the kernel does not say", 0, 8_000, now},
		{"ahead of the clock", now + 500, 8_000, now},
		{"before what was given", 7_000, 8_000, 8_000},
	} {
		s := &socket{floor: c.floor}
		if got := s.stamp(c.at, now); got != c.want || s.last != got {
			t.Errorf("%s: stamped %d (last %d), want %d", c.name, got, s.last, c.want)
		}
	}
}

// TestDropsWrap: the kernel's count wraps, and may be told twice or late.
func TestDropsWrap(t *testing.T) {
	var s socket
	for i, c := range []struct {
		told uint32
		want uint64
	}{
		{5, 5}, {5, 5}, {3, 5}, {9, 9},
		{1 << 30, 1 << 30}, {1 << 31, 1 << 31}, {3 << 30, 3 << 30}, {1<<32 - 1, 1<<32 - 1},
		{4, 1<<32 + 4}, {1<<32 - 2, 1<<32 + 4},
	} {
		if s.drops(c.told); s.dropped.Load() != c.want {
			t.Errorf("step %d: %d drops, want %d", i, s.dropped.Load(), c.want)
		}
	}
}

// TestClockSetBack: time stands still until the clock is where it was; that is told
// once each time, unless it is what time servers do.
func TestClockSetBack(t *testing.T) {
	var log strings.Builder
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := stepClock{logger: slog.New(slog.NewTextHandler(&log, nil)), read: func() time.Time { return at }}
	step := func(d time.Duration, want time.Time, told int) {
		t.Helper()
		at = at.Add(d)
		if got := c.now(); !got.Equal(want) || strings.Count(log.String(), "level=ERROR") != told {
			t.Errorf("after %s: %s, want %s; log:\n%s", d, got, want, log.String())
		}
	}
	first := at
	step(0, first, 0)
	step(1500*time.Microsecond, first.Add(time.Millisecond), 0)
	top := first.Add(time.Millisecond)
	step(-900*time.Millisecond, top, 0)
	step(-time.Hour, top, 1)
	step(time.Minute, top, 1)
	step(2*time.Hour, at.Add(2*time.Hour).Truncate(time.Millisecond), 1)
	step(-time.Hour, at.Truncate(time.Millisecond), 2)
}
