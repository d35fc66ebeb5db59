package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/cenkalti/backoff/v7"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"tapwatch/flow"
)

// drainTimeout bounds how long Run goes on storing after its context has ended.
const drainTimeout = 20 * time.Second

// noneOlder is the watermark when no record waits: later than any record.
var noneOlder = time.UnixMilli(math.MaxInt64 / 1_000_000).UTC()

// Writer collects flow records and stores them in big batches, each exactly once.
// Safe for concurrent use.
type Writer struct {
	queue   *queue
	insert  func(ctx context.Context, b *flow.Batch, token string) error
	drain   time.Duration
	log     *slog.Logger
	noisy   *rate.Limiter // of the message that an insert is retried
	metrics *writerMetrics
}

// NewWriter makes a writer into the store. Nothing is stored until Run runs.
func NewWriter(store *Store, cfg Batch, logger *slog.Logger, reg prometheus.Registerer) *Writer {
	q := newQueue(cfg)
	return &Writer{
		queue:   q,
		insert:  store.insertBatch,
		drain:   drainTimeout,
		log:     logger.With("component", "storage"),
		noisy:   rate.NewLimiter(rate.Every(5*time.Second), 1),
		metrics: newWriterMetrics(reg, q),
	}
}

// Write copies the records of b into the queue. While the queue is full it waits,
// until ctx ends. After Run has ended it fails.
func (w *Writer) Write(ctx context.Context, b *flow.Batch) error {
	if err := w.queue.add(ctx, b); err != nil {
		return fmt.Errorf("queue %d flows: %w", b.Len(), err)
	}
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
// left. An error says how many records were given up at the end.
func (w *Writer) Run(ctx context.Context) error {
	for {
		next, ok := w.queue.next(ctx)
		if !ok {
			break
		}
		if w.store(ctx, next) != nil {
			break // ctx has ended; the batch is still the first of the queue
		}
	}
	w.queue.stop()
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.drain)
	defer cancel()
	return w.drainQueue(draining)
}

func (w *Writer) drainQueue(ctx context.Context) error {
	for w.queue.size() > 0 {
		next, ok := w.queue.next(ctx)
		if !ok {
			break
		}
		if w.store(ctx, next) != nil {
			break
		}
	}
	if lost := w.queue.giveUp(); lost > 0 {
		w.metrics.dropped.WithLabelValues(droppedShutdown).Add(float64(lost))
		return fmt.Errorf("%d flows could not be stored within %s of the stop", lost, w.drain)
	}
	return nil
}

// store inserts a batch, again and again until ClickHouse has it or says that it
// never will, and finishes it. An error means that ctx ended before.
func (w *Writer) store(ctx context.Context, next insertion) error {
	records := next.batch.Len()
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval = 200 * time.Millisecond
	delay.MaxInterval = 10 * time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		return struct{}{}, w.attempt(ctx, next)
	}, backoff.WithBackOff(delay), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, in time.Duration) {
		w.metrics.retries.Inc()
		if w.noisy.Allow() {
			w.log.Warn("flows not stored yet, trying again", "error", err, "records", records, "next_in", in, "queued_records", w.queue.size())
		}
	}))
	if errors.Is(err, backoff.ErrPermanent) {
		w.log.Error("flows refused by clickhouse and given up", "error", err, "records", records)
		w.metrics.dropped.WithLabelValues(droppedRefused).Add(float64(records))
		w.queue.finish(false)
		return nil
	}
	if err != nil {
		return err
	}
	w.queue.finish(true)
	return nil
}

// attempt inserts a batch once.
func (w *Writer) attempt(ctx context.Context, next insertion) error {
	began := time.Now()
	err := w.insert(ctx, next.batch, next.token)
	w.metrics.seconds.Observe(time.Since(began).Seconds())
	if err == nil {
		w.metrics.rows.Add(float64(next.batch.Len()))
		w.metrics.bytes.Add(float64(batchBytes(next.batch)))
		w.metrics.batches.Inc()
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	kind := errorKind(err)
	w.metrics.errors.WithLabelValues(kind).Inc()
	if kind == errorPermanent {
		return backoff.Permanent(err)
	}
	return err
}
