package collector

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tapwatch/flow"
)

// sinkFunc is a Sink.
type sinkFunc func(ctx context.Context, b *flow.Batch) error

func (f sinkFunc) Write(ctx context.Context, b *flow.Batch) error { return f(ctx, b) }

// slow is stub, but each datagram takes what during does.
type slow struct {
	stub
	during func()
}

func (s slow) Sessions(Limits) func() Session { return func() Session { return s } }

func (s slow) Decode(b *flow.Batch, d *Datagram) int8 {
	s.during()
	return s.stub.Decode(b, d)
}

// TestFloodWithoutRecords: datagrams that hold no records and never cease hold up
// neither a batch that is not full nor the watermark.
func TestFloodWithoutRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const wait, step = time.Second, 10 * time.Millisecond
		q := newQueue(1<<20, func() int64 { return time.Now().UnixMilli() })
		put := func(payload ...byte) { putAt(q, port(addr(1)), payload, q.now()) }
		left, late := 1000, time.Duration(0)
		flood := func() {
			time.Sleep(step)
			if at, ok := q.oldest(); ok {
				late = max(late, time.Since(time.UnixMilli(at)))
			}
			if left--; left == 0 {
				q.close()
				return
			}
			put('r')
		}
		began, handed := time.Now(), []time.Duration(nil)
		w := &worker{
			queue: q, logger: slog.New(slog.DiscardHandler), records: 100, wait: wait,
			decoder: NewDecoder(DefaultConfig(), []Protocol{slow{during: flood}}, nil),
			sink: sinkFunc(func(context.Context, *flow.Batch) error {
				handed = append(handed, time.Since(began))
				return nil
			}),
		}
		put('r', 1)
		w.run(t.Context())
		if took := time.Since(began); took < 9*time.Second {
			t.Fatalf("the flood took %s only", took)
		}
		if late > wait+2*step {
			t.Errorf("the watermark was %s late", late)
		}
		if len(handed) != 1 || handed[0] > wait+2*step {
			t.Errorf("handed on after %v", handed)
		}
	})
}

// waits is stub, but there is always a data set that waits for its template.
type waits struct{ stub }

func (waits) Sessions(Limits) func() Session { return func() Session { return waits{} } }

func (waits) Expire(now time.Time, t *Tally) {
	if now.IsZero() {
		t.Drop(MissingTemplate, 1)
	}
}

// TestGivesUp: what waits for templates at the end is counted, after the last message.
func TestGivesUp(t *testing.T) {
	q := newQueue(1<<20, noTime)
	w := &worker{
		queue: q, logger: slog.New(slog.DiscardHandler), records: 100, wait: time.Hour,
		decoder: NewDecoder(DefaultConfig(), []Protocol{waits{}}, nil),
		sink:    sinkFunc(func(context.Context, *flow.Batch) error { return nil }),
	}
	putAt(q, port(addr(1)), []byte("r\x01"), 1)
	q.close()
	w.run(t.Context())
	if total := w.decoder.Total(); total.Dropped[MissingTemplate] != 1 || total.Records != 1 {
		t.Errorf("%d records, dropped %v", total.Records, total.ByReason())
	}
}

// TestReceivedOnceHandedOn: a record counts as received once the sink has it, in the
// metrics and in the health, and once only.
func TestReceivedOnceHandedOn(t *testing.T) {
	q := newQueue(1<<20, noTime)
	w := &worker{queue: q, logger: slog.New(slog.DiscardHandler), records: 1, wait: time.Hour, decoder: NewDecoder(DefaultConfig(), []Protocol{stub{}}, nil)}
	counted := func() (records uint64) {
		rows, suspects := w.health(time.UnixMilli(1))
		for _, h := range fold(rows, suspects) {
			records += h.Records
		}
		return records
	}
	handed := 0
	w.sink = sinkFunc(func(_ context.Context, b *flow.Batch) error {
		handed++
		if n := counted(); n != uint64(min(handed-1, 1)) {
			t.Errorf("the health counts %d records while the sink takes batch %d", n, handed)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if total := w.total(); total.Records != uint64(handed-1) {
			t.Errorf("the metrics count %d records while the sink takes batch %d", total.Records, handed)
		}
		return nil
	})
	for range 3 {
		putAt(q, port(addr(1)), []byte("r\x01"), 1)
	}
	q.close()
	w.run(t.Context())
	if handed != 3 {
		t.Fatalf("the sink got %d batches", handed)
	}
	if n := counted(); n != 1 {
		t.Errorf("the health counts %d records of the last batch", n)
	}
}

// TestCountsWhileTheSinkWaits: datagrams that find the queue full are counted while they
// are dropped, though the worker is held up.
func TestCountsWhileTheSinkWaits(t *testing.T) {
	q := newQueue(200, noTime)
	w := &worker{queue: q, logger: slog.New(slog.DiscardHandler), records: 1, wait: time.Hour, decoder: NewDecoder(DefaultConfig(), []Protocol{stub{}}, nil)}
	dropped := map[string]uint64{}
	more := 5
	w.sink = sinkFunc(func(context.Context, *flow.Batch) error {
		for ; more > 0; more-- {
			putAt(q, port(addr(1)), []byte("r\x01"), 1)
		}
		rows, suspects := w.health(time.UnixMilli(1))
		for _, h := range fold(rows, suspects) {
			for reason, n := range h.Dropped {
				dropped[reason] += n
			}
		}
		q.close()
		return nil
	})
	putAt(q, port(addr(1)), []byte("r\x01"), 1)
	w.run(t.Context())
	if dropped["queue_full"] < 4 {
		t.Errorf("counted while the sink waited: %v", dropped)
	}
}
