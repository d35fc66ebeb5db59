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
