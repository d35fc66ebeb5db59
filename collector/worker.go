package collector

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"tapwatch/flow"
)

// worker decodes what its share of the exporters sends.
type worker struct {
	queue   *queue
	sink    Sink
	logger  *slog.Logger
	records int           // of a full batch
	wait    time.Duration // before a batch that is not full is handed on

	// mu guards the decoder, which the health and metrics goroutines read. The sink
	// is not called under it: health goes on while storage holds a worker up.
	mu      sync.Mutex
	decoder *Decoder

	// batch is changed under mu: what is in it is decoded, but not yet counted as received.
	batch flow.Batch
	taken *block
	// timer is armed while messages are taken whose records are not handed on.
	timer *time.Timer
	armed bool
}

// run works until the queue is closed and empty; what then still waits for a template
// is counted. ctx is the sink's.
func (w *worker) run(ctx context.Context) {
	w.timer = time.NewTimer(w.wait)
	w.timer.Stop()
	// A timer that was stopped or reset has nothing stale in its channel (Go 1.23).
	for {
		select {
		case <-w.queue.ready:
		case <-w.timer.C:
			w.armed = false
			w.flush(ctx, 0)
		}
		if w.drain(ctx) {
			break
		}
	}
	w.flush(ctx, 0)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.decoder.GiveUp()
}

// drain decodes all that waits; true if nothing more will come.
func (w *worker) drain(ctx context.Context) (done bool) {
	for {
		b, closed := w.queue.take(w.taken)
		w.taken = b
		w.refuse()
		if b == nil {
			return closed
		}
		w.decode(ctx, b)
	}
}

// decode turns messages into records and hands on the batches that get full, or that
// have waited long enough: while messages keep coming, run does not get to look at its
// timer, and they may hold no records that would fill a batch.
func (w *worker) decode(ctx context.Context, b *block) {
	for i := range b.messages {
		w.arm()
		m := &b.messages[i]
		w.mu.Lock()
		if m.ends {
			w.decoder.End(m.stream, m.from.Addr())
		} else {
			w.decoder.Message(&w.batch, m.stream, m.from, time.UnixMilli(m.at), b.payload(m))
		}
		w.mu.Unlock()
		if w.batch.Len() < w.records && !w.due() {
			continue
		}
		next := int64(0)
		if i+1 < len(b.messages) {
			next = b.oldest
		}
		w.flush(ctx, next)
	}
	if w.batch.Len() == 0 {
		w.flush(ctx, 0)
	}
}

// arm starts the time that a batch may wait, unless it runs already.
func (w *worker) arm() {
	if !w.armed {
		w.timer.Reset(w.wait)
		w.armed = true
	}
}

// due says whether the batch has waited for that time.
func (w *worker) due() bool {
	select {
	case <-w.timer.C:
		w.armed = false
		return true
	default:
		return false
	}
}

// flush hands the batch on; next is a stamp no later than those of the messages taken
// that are not in it, 0 if there are none.
func (w *worker) flush(ctx context.Context, next int64) {
	if w.batch.Len() > 0 {
		err := w.sink.Write(ctx, &w.batch)
		w.mu.Lock()
		if err != nil {
			w.lose(err)
		}
		w.batch.Reset()
		w.mu.Unlock()
	}
	if w.armed {
		w.timer.Stop()
		w.armed = false
	}
	w.queue.sent(next)
}

// lose counts the records that the sink did not take: they were not received. The caller
// has the lock.
func (w *worker) lose(err error) {
	w.logger.Error("records lost: the sink did not take them", "records", w.batch.Len(), "error", err)
	lost := make(map[[16]byte]int)
	for _, e := range w.batch.Exporter {
		lost[e]++
	}
	w.decoder.withhold(&w.batch) // for good
	for e, n := range lost {
		w.decoder.Dropped(flow.Addr(e), SinkFailed, n)
	}
}

// refuse counts the datagrams that found the queue full. Whoever reads the counters calls
// it first: the worker itself does not come to it while the sink holds it up.
func (w *worker) refuse() {
	refused := w.queue.refusals()
	if len(refused) == 0 {
		return
	}
	n := 0
	w.mu.Lock()
	for addr, k := range refused {
		w.decoder.Dropped(addr, QueueFull, k)
		n += k
	}
	w.mu.Unlock()
	w.logger.Warn("datagrams dropped: they come faster than they are decoded and stored", "datagrams", n)
}

// dropped counts what was lost before it came to the queue.
func (w *worker) dropped(addr netip.Addr, r Reason, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if addr.IsValid() {
		w.decoder.DroppedAt(time.Now(), addr, r, n)
		return
	}
	w.decoder.Dropped(addr, r, n)
}

// total gives the sum of all counters, without the records that are still to be handed
// on: a record counts once the sink has it, which may have made it safe by then.
func (w *worker) total() Tally {
	t := w.decoder.Total()
	t.Records -= uint64(w.batch.Len())
	return t
}

// health is that of the decoder, without the records that are still to be handed on:
// they are counted in the next interval.
func (w *worker) health(at time.Time) (rows, suspects []flow.Health) {
	w.refuse()
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.decoder.withhold(&w.batch)()
	return w.decoder.health(at)
}
