package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tapwatch/flow"
	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// fakeServer takes inserts in place of ClickHouse.
type fakeServer struct {
	mu      sync.Mutex
	stored  []int    // records of each stored batch
	tokens  []string // of each attempt
	failure error    // what the next inserts give
	hold    chan struct{}
	taken   func(b *flow.Batch) // what is stored; may be nil
}

// insertSegment takes what another tapwatch wrote.
func (f *fakeServer) insertSegment(ctx context.Context, shard int, g *spool.Segment) (corrupt int, err error) {
	return 0, f.insertBatch(ctx, shard, records(g.Records(), 1), g.Token())
}

func (f *fakeServer) insertBatch(ctx context.Context, shard int, b *flow.Batch, token string) error {
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens = append(f.tokens, token)
	if f.failure != nil {
		return f.failure
	}
	f.stored = append(f.stored, b.Len())
	if f.taken != nil {
		f.taken(b)
	}
	return nil
}

func (f *fakeServer) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failure = err
}

func (f *fakeServer) batches() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]int(nil), f.stored...)
}

// newTestWriter makes a writer into f; a spool that cannot be opened is a panic.
func newTestWriter(cfg Config, f *fakeServer) *Writer {
	w, err := NewWriter(cfg, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		panic(err)
	}
	w.attach(f, 1)
	return w
}

// start runs a writer into f; stop ends it and gives what Run returned.
func (f *fakeServer) start(batch Batch) (w *Writer, stop func() error) {
	w = newTestWriter(Config{Batch: batch}, f)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return w, func() error { cancel(); return <-done }
}

// records are n records received at the given second.
func records(n int, second int64) *flow.Batch {
	var b flow.Batch
	b.Grow(n)
	for i := range n {
		b.ReceivedAt[i] = second * 1000
	}
	return &b
}

func write(t *testing.T, w *Writer, b *flow.Batch) {
	t.Helper()
	if err := w.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestBatchesBySizeAndByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{}
		w, stop := server.start(Batch{Records: 10, Interval: time.Second, QueueRecords: 100})
		write(t, w, records(4, 1))
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		equal(t, "batches before the interval", server.batches(), []int{})
		time.Sleep(time.Millisecond)
		synctest.Wait()
		equal(t, "batches after the interval", server.batches(), []int{4})

		write(t, w, records(6, 1))
		write(t, w, records(5, 1))
		synctest.Wait()
		equal(t, "batches when one is full", server.batches(), []int{4, 11})
		if err := stop(); err != nil {
			t.Error(err)
		}
		equal(t, "batches at the end", server.batches(), []int{4, 11})
	})
}

func TestRunStoresTheRestAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{}
		w, stop := server.start(Batch{Records: 10, Interval: time.Hour, QueueRecords: 100})
		write(t, w, records(3, 1))
		synctest.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
		equal(t, "batches", server.batches(), []int{3})
		if err := w.Write(t.Context(), records(1, 1)); !errors.Is(err, errStopped) {
			t.Errorf("Write after Run = %v, want %v", err, errStopped)
		}
	})
}

func TestRunEndsInTimeWithoutServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{failure: io.ErrUnexpectedEOF}
		w, stop := server.start(Batch{Records: 10, Interval: time.Hour, QueueRecords: 100})
		write(t, w, records(10, 1))
		write(t, w, records(3, 1))
		synctest.Wait()
		began := time.Now()
		err := stop()
		if took := time.Since(began); took > drainTimeout {
			t.Errorf("Run took %s to end, want at most %s", took, drainTimeout)
		}
		if err == nil || err.Error() != "13 flows could not be stored within 20s of the stop" {
			t.Errorf("Run = %v", err)
		}
		equal(t, "dropped at shutdown", testutil.ToFloat64(w.metrics.dropped.WithLabelValues(droppedShutdown)), 13.0)
	})
}

func TestRetriesKeepTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{failure: &clickhouse.Exception{Code: 252, Message: "too many parts"}}
		w, stop := server.start(Batch{Records: 1, Interval: time.Hour, QueueRecords: 100})
		write(t, w, records(1, 1))
		time.Sleep(20 * time.Second)
		server.fail(nil)
		time.Sleep(20 * time.Second)
		write(t, w, records(2, 1))
		synctest.Wait()
		equal(t, "batches", server.batches(), []int{1, 2})
		attempts := len(server.tokens)
		for _, token := range server.tokens[:attempts-1] {
			equal(t, "token of a retry", token, server.tokens[0])
		}
		if server.tokens[attempts-1] == server.tokens[0] {
			t.Error("two batches have the same token")
		}
		equal(t, "retries", testutil.ToFloat64(w.metrics.retries), float64(attempts-2))
		equal(t, "errors", testutil.ToFloat64(w.metrics.errors.WithLabelValues(errorServer)), float64(attempts-2))
		if attempts < 4 {
			t.Errorf("%d attempts in 20 s of failure", attempts)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWriteWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{hold: make(chan struct{})}
		w, stop := server.start(Batch{Records: 10, Interval: time.Hour, QueueRecords: 20})
		write(t, w, records(10, 5))
		write(t, w, records(10, 6))
		written := make(chan error)
		go func() { written <- w.Write(context.Background(), records(5, 2)) }()
		synctest.Wait()
		select {
		case err := <-written:
			t.Fatalf("Write into a full queue returned (%v)", err)
		default:
		}
		equal(t, "watermark with a waiting Write", w.Watermark(), time.Unix(2, 0).UTC())

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Write(short, records(5, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Write with a context that ends = %v", err)
		}
		equal(t, "watermark after a Write that failed", w.Watermark(), time.Unix(2, 0).UTC())

		server.hold <- struct{}{}
		if err := <-written; err != nil {
			t.Error(err)
		}
		close(server.hold)
		if err := w.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		equal(t, "batches", server.batches(), []int{10, 10, 5})
		equal(t, "watermark when all is stored", w.Watermark(), noneOlder)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAnEmptyQueueTakesAnyBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{}
		w, stop := server.start(Batch{Records: 10, Interval: time.Second, QueueRecords: 20})
		write(t, w, records(0, 1))
		write(t, w, records(1000, 1))
		if err := stop(); err != nil {
			t.Error(err)
		}
		equal(t, "batches", server.batches(), []int{1000})
	})
}

func TestWatermarkFollowsTheOldestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &fakeServer{hold: make(chan struct{})}
		w, stop := server.start(Batch{Records: 2, Interval: time.Hour, QueueRecords: 100})
		step := func(what string, want time.Time) {
			t.Helper()
			synctest.Wait()
			equal(t, what, w.Watermark(), want)
		}
		step("watermark at first", noneOlder)
		write(t, w, records(1, 30))
		step("watermark of an open batch", time.Unix(30, 0).UTC())
		write(t, w, records(1, 10))
		step("watermark of a batch on its way", time.Unix(10, 0).UTC())
		write(t, w, records(1, 20))
		step("watermark of both", time.Unix(10, 0).UTC())
		server.hold <- struct{}{}
		step("watermark when the first is stored", time.Unix(20, 0).UTC())
		close(server.hold)
		if err := w.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		step("watermark when all is stored", noneOlder)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Records are stored before the watermark passes them, whoever writes meanwhile.
func TestWatermarkIsNeverAheadOfStorage(t *testing.T) {
	var mu sync.Mutex
	stored := map[int64]bool{}
	w := newTestWriter(Config{Batch: Batch{Records: 7, Interval: time.Millisecond, QueueRecords: 30}}, &fakeServer{taken: func(b *flow.Batch) {
		mu.Lock()
		defer mu.Unlock()
		for _, at := range b.ReceivedAt {
			stored[at] = true
		}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	var writers sync.WaitGroup
	for writer := range int64(4) {
		writers.Go(func() {
			for i := range int64(500) {
				at := 1 + writer + 4*i
				write(t, w, func() *flow.Batch { b := records(1, 0); b.ReceivedAt[0] = at; return b }())
				mark := w.Watermark()
				mu.Lock()
				if !stored[at] && mark.UnixMilli() > at {
					t.Errorf("the watermark is %d, but %d is not stored", mark.UnixMilli(), at)
				}
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	cancel()
	running.Wait()
	if len(stored) != 2000 {
		t.Errorf("%d records are stored, want 2000", len(stored))
	}
}

func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{io.EOF, errorUnreachable},
		{context.DeadlineExceeded, errorUnreachable},
		{&clickhouse.Exception{Code: 241, Message: "memory limit"}, errorServer},
		{&clickhouse.Exception{Code: 60, Message: "unknown table"}, errorServer},
		{&clickhouse.Exception{Code: 16, Message: "no such column"}, errorPermanent},
		{fmt.Errorf("insert: %w", &native.Exception{Code: 241}), errorServer},
		{fmt.Errorf("insert: %w", &native.Exception{Code: 16}), errorPermanent},
		{fmt.Errorf("insert: %w", native.ErrColumns), errorPermanent},
	} {
		equal(t, "kind of "+c.err.Error(), errorKind(c.err), c.want)
	}
}

func TestAppendBatchCopiesEveryColumn(t *testing.T) {
	var src, dst flow.Batch
	src.Grow(2)
	src.ReceivedAt[1], src.Bytes[1], src.SrcZone[1], src.Watched[1], src.SrcAddr[1][15] = 7, 8, "z", true, 9
	src.SrcPort[1], src.SrcAS[1], src.Protocol[1], src.Initiator[1] = 1, 2, 3, 1
	dst.Grow(1)
	dst.Append(&src)
	equal(t, "records", dst.Len(), 3)
	equal(t, "first record", dst.Row(0).String(), "")
	equal(t, "last record", dst.Row(2).String(), src.Row(1).String())
	if !strings.Contains(dst.Row(2).String(), "src_zone=z") {
		t.Errorf("last record is %s", dst.Row(2))
	}
	equal(t, "bytes of both", batchBytes(&src)-2*batchBytes(func() *flow.Batch { var b flow.Batch; b.Grow(1); return &b }()), 1)
}
