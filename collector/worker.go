package collector

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"tapwatch/flow"
)

// worker decodes the datagrams of its share of the exporters.
type worker struct {
	queue   *queue
	sink    Sink
	logger  *slog.Logger
	records int           // of a full batch
	wait    time.Duration // before a batch that is not full is handed on
	buffers *buffers

	// mu guards the decoder, which the health and metrics goroutines read. The sink
	// is not called under it: health goes on while storage holds a worker up.
	mu      sync.Mutex
	decoder *Decoder

	batch flow.Batch
	taken []received
	// timer is armed while datagrams are taken whose records are not handed on.
	timer *time.Timer
	armed bool
}

// run works until the queue is closed and empty. ctx is the sink's.
func (w *worker) run(ctx context.Context) {
	w.timer = time.NewTimer(w.wait)
	w.timer.Stop()
	// A timer that was stopped or reset has nothing stale in its channel (Go 1.23).
	for {
		select {
		case <-w.queue.ready:
		case <-w.timer.C:
			w.armed = false
			w.flush(ctx, time.Time{})
		}
		if w.drain(ctx) {
			w.flush(ctx, time.Time{})
			return
		}
	}
}

// drain decodes all that waits; true if nothing more will come.
func (w *worker) drain(ctx context.Context) (done bool) {
	for {
		all, refused, closed := w.queue.take(w.taken)
		w.refuse(refused)
		w.decode(ctx, all)
		w.taken = all
		if len(all) == 0 {
			return closed
		}
	}
}

// decode turns datagrams into records and hands on the batches that get full, or
// that have waited long enough: while datagrams keep coming, run does not get to
// look at its timer, and they may hold no records that would fill a batch.
func (w *worker) decode(ctx context.Context, all []received) {
	for i := range all {
		w.arm()
		g := &all[i]
		w.mu.Lock()
		w.decoder.Datagram(&w.batch, g.from, g.at, *g.payload)
		w.mu.Unlock()
		w.buffers.put(g.payload)
		g.payload = nil
		if w.batch.Len() < w.records && !w.due() {
			continue
		}
		var next time.Time
		if i+1 < len(all) {
			next = all[i+1].at
		}
		w.flush(ctx, next)
	}
	if w.batch.Len() == 0 {
		w.flush(ctx, time.Time{})
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

// flush hands the batch on; next is the stamp of the first datagram taken that is
// not in it, zero if there is none.
func (w *worker) flush(ctx context.Context, next time.Time) {
	if w.batch.Len() > 0 {
		if err := w.sink.Write(ctx, &w.batch); err != nil {
			w.lose(err)
		}
		w.batch.Reset()
	}
	if w.armed {
		w.timer.Stop()
		w.armed = false
	}
	w.queue.sent(next)
}

// lose counts the records that the sink did not take.
func (w *worker) lose(err error) {
	w.logger.Error("records lost: the sink did not take them", "records", w.batch.Len(), "error", err)
	lost := make(map[[16]byte]int)
	for _, e := range w.batch.Exporter {
		lost[e]++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for e, n := range lost {
		w.decoder.Dropped(flow.Addr(e), SinkFailed, n)
	}
}

// refuse counts the datagrams that found the queue full.
func (w *worker) refuse(refused map[netip.Addr]int) {
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

func (w *worker) health(at time.Time) (rows, suspects []flow.Health) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.decoder.health(at)
}

// buffers keeps payload buffers for reuse.
type buffers struct{ pool sync.Pool }

// maxPooled is the largest buffer that is kept: jumbo frames fit.
const maxPooled = 16 << 10

// copyOf gives a buffer that holds payload.
func (p *buffers) copyOf(payload []byte) *[]byte {
	b, _ := p.pool.Get().(*[]byte)
	if b == nil {
		b = new([]byte)
	}
	*b = append((*b)[:0], payload...)
	return b
}

func (p *buffers) put(b *[]byte) {
	if cap(*b) <= maxPooled {
		p.pool.Put(b)
	}
}
