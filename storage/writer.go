package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"tapwatch/flow"
	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// drainTimeout bounds how long Run goes on storing after its context has ended.
const drainTimeout = 20 * time.Second

// noneOlder is the watermark when no record waits: later than any record.
var noneOlder = time.UnixMilli(math.MaxInt64 / 1_000_000).UTC()

// Writer collects flow records and stores them in big batches, each exactly once.
// Safe for concurrent use.
type Writer struct {
	queue    *queue
	disk     *disk
	insert   inserter // set before attached is closed
	attached chan struct{}
	inserts  int           // side by side into each shard
	timeout  time.Duration // of one of them
	drain    time.Duration
	log      *slog.Logger
	noisy    *rate.Limiter // of the message that an insert is retried
	metrics  *writerMetrics
}

// inserter stores the records of an insert on a shard. One with a token that was stored
// there before stores what is missing of it.
type inserter interface {
	insertBatch(ctx context.Context, shard int, b *flow.Batch, token string) error
	insertSegment(ctx context.Context, shard int, g *spool.Segment) (corrupt int, err error)
}

// NewWriter makes a writer and takes over what an earlier one left in the spool. It
// takes records at once, but stores nothing until Run runs and Attach has said where.
func NewWriter(cfg Config, logger *slog.Logger, reg prometheus.Registerer) (*Writer, error) {
	logger = logger.With("component", "storage")
	d, err := openDisk(cfg, logger)
	if err != nil {
		return nil, err
	}
	q := newQueue(cfg.Batch, d, newTokens(cfg.Name))
	if cfg.Cluster == "" {
		q.openLanes(1)
	}
	metrics := newWriterMetrics(reg, q, d)
	full := rate.NewLimiter(rate.Every(5*time.Second), 1)
	q.evicted = func(records int) {
		metrics.dropped.WithLabelValues(droppedSpoolFull).Add(float64(records))
		if full.Allow() {
			logger.Error("the spool is full: the flows that waited longest for clickhouse are lost", "records", records)
		}
	}
	return &Writer{
		queue:    q,
		disk:     d,
		attached: make(chan struct{}),
		inserts:  cfg.Batch.inserts(),
		timeout:  cmp.Or(cfg.Batch.Timeout, insertTimeout),
		drain:    drainTimeout,
		log:      logger,
		noisy:    rate.NewLimiter(rate.Every(5*time.Second), 1),
		metrics:  metrics,
	}, nil
}

// Attach says where to store, once that can be reached. It is called once. Before, the
// records wait in memory and in the spool; those for a cluster wait to be taken.
func (w *Writer) Attach(store *Store) {
	store.insertTimeout = w.timeout
	w.attach(store, store.Shards())
}

func (w *Writer) attach(to inserter, shards int) {
	w.insert = to
	if len(w.queue.lanes) == 0 {
		w.queue.openLanes(shards)
	}
	close(w.attached)
}

// Write copies the records of b into the queue; with a journal they are on disk when
// it returns. While neither memory nor the spool has room it waits, until ctx ends.
// After Run has ended it fails.
func (w *Writer) Write(ctx context.Context, b *flow.Batch) error {
	if err := w.queue.add(ctx, b); err != nil {
		return fmt.Errorf("queue %d flows: %w", b.Len(), err)
	}
	w.metrics.received.Add(float64(b.Len()))
	return nil
}

// Flush stores everything written so far without waiting for the interval. It needs
// Run to run. It fails when ctx ends, or when records had to be given up.
func (w *Writer) Flush(ctx context.Context) error {
	lost, err := w.queue.flush(ctx)
	if err == nil && lost > 0 {
		err = fmt.Errorf("%d flows could not be stored: see the log", lost)
	}
	if err != nil {
		return fmt.Errorf("flush the flows: %w", err)
	}
	return nil
}

// Watermark is the least received_at of all records that were handed to Write and
// are not stored yet; every earlier one can be queried. With none waiting it is far
// in the future. Whoever combines it with the watermark of what feeds the writer
// reads that one first.
func (w *Writer) Watermark() time.Time {
	if ms, ok := w.queue.oldest(); ok {
		return time.UnixMilli(ms).UTC()
	}
	return noneOlder
}

// Run stores what is written until ctx ends, and then, for a bounded time, what is
// left. What is left after that stays in the spool for the next start; an error says
// how many records could not even go there.
func (w *Writer) Run(ctx context.Context) error {
	spilling, stop := context.WithCancel(ctx)
	defer stop()
	var spiller sync.WaitGroup
	if w.disk != nil {
		spiller.Go(func() { w.spill(spilling) })
	}
	select {
	case <-w.attached:
		w.storeAll(ctx)
	case <-ctx.Done():
	}
	w.queue.stop()
	stop()
	spiller.Wait()
	select {
	case <-w.attached:
		draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain)
		w.storeAll(draining)
		cancel()
	default: // nobody ever said where to
	}
	return errors.Join(w.keep(w.queue.rest()), w.disk.close())
}

// storeAll stores what comes into every lane until ctx ends, or until the queue was
// stopped and is empty.
func (w *Writer) storeAll(ctx context.Context) {
	var storers sync.WaitGroup
	for _, l := range w.queue.lanes {
		for range w.inserts {
			s := &storer{w, l, native.NewDecoder()}
			storers.Go(func() { s.run(ctx) })
		}
	}
	storers.Wait()
}

// spill moves what fills the memory to disk.
func (w *Writer) spill(ctx context.Context) {
	said := rate.NewLimiter(rate.Every(time.Minute), 1)
	for {
		in := w.queue.victim(ctx)
		if in == nil {
			return
		}
		g, evicted, err := w.disk.spill(in)
		if wanted := w.queue.spilled(in, g, evicted); !wanted && g != nil {
			w.disk.discard(g) // stored meanwhile
			continue
		}
		if err == nil {
			w.metrics.spilled.Add(float64(in.records))
			if said.Allow() {
				w.log.Warn("clickhouse does not keep up, or does not answer: flows go to the spool", "queued_records", w.queue.size())
			}
			continue
		}
		w.disk.complain(err)
		select {
		case <-time.After(journalPause):
		case <-ctx.Done():
			return
		}
	}
}

// keep puts what could not be stored before the end into the spool.
func (w *Writer) keep(left []*insertion) error {
	var failure error
	for _, in := range left {
		if in.batch == nil || in.onDisk() || w.disk == nil {
			continue
		}
		g, _, err := w.disk.spill(in)
		if err != nil {
			failure = err
			continue
		}
		in.segment = g
	}
	kept, lost, evicted := 0, 0, 0
	for _, in := range left { // after the last spill: each may have cost older ones
		switch {
		case in.onDisk():
			kept += in.records
		case in.segment != nil:
			evicted += in.records
		default:
			lost += in.records
		}
	}
	if kept > 0 {
		w.log.Warn("clickhouse did not take all flows: the rest waits in the spool for the next start", "records", kept)
	}
	w.metrics.dropped.WithLabelValues(droppedSpoolFull).Add(float64(evicted))
	w.metrics.dropped.WithLabelValues(droppedShutdown).Add(float64(lost))
	if lost+evicted == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%d flows could not be stored within %s of the stop", lost+evicted, w.drain), failure)
}
