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
		q := newQueue(1<<20, time.Now)
		left, late := 1000, time.Duration(0)
		flood := func() {
			time.Sleep(step)
			late = max(late, time.Since(q.watermark()))
			if left--; left == 0 {
				q.close()
				return
			}
			q.put(port(addr(1)), &[]byte{'r'})
		}
		began, handed := time.Now(), []time.Duration(nil)
		w := &worker{
			queue: q, logger: slog.New(slog.DiscardHandler), records: 100, wait: wait, buffers: &buffers{},
			decoder: NewDecoder(DefaultConfig(), []Protocol{slow{during: flood}}, nil),
			sink: sinkFunc(func(context.Context, *flow.Batch) error {
				handed = append(handed, time.Since(began))
				return nil
			}),
		}
		q.put(port(addr(1)), &[]byte{'r', 1})
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
