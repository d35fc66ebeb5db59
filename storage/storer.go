package storage

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v7"

	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// storer stores what waits in a lane, one insertion after the other.
type storer struct {
	*Writer
	lane    *lane
	decoder *native.Decoder
}

// errYields says that another storer of the lane goes on trying.
var errYields = errors.New("another insert goes on trying")

// run stores until ctx ends, or until the queue was stopped and its lane is empty.
func (s *storer) run(ctx context.Context) {
	for {
		in := s.queue.next(ctx, s.lane)
		if in == nil {
			return
		}
		switch lost, err := s.store(ctx, in); {
		case errors.Is(err, errYields):
			s.queue.release(in)
		case err != nil:
			s.queue.release(in) // ctx has ended
			return
		default:
			s.remove(s.queue.finish(in, lost))
		}
	}
}

// remove deletes a segment whose records are stored, if there is one.
func (s *storer) remove(g *spool.Segment) {
	if g == nil {
		return
	}
	if err := g.Remove(); err != nil && !errors.Is(err, spool.ErrEvicted) {
		s.log.Error("flows are stored, but stay in the spool: they will be sent, and known again, at the next start", "error", err)
	}
}

// store inserts the records of in, again and again until ClickHouse has them. Without a
// spool, which is for replays that can be repeated, records that ClickHouse will never
// take are given up; else they wait for somebody to mend what is wrong. It tells how many
// are lost. An error means that ctx ended before, or errYields.
func (s *storer) store(ctx context.Context, in *insertion) (lost int, err error) {
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval = 200 * time.Millisecond
	delay.MaxInterval = 10 * time.Second
	lost, err = backoff.Retry(ctx, func() (int, error) {
		lost, err := s.attempt(ctx, in)
		return lost, s.judge(ctx, err)
	}, backoff.WithBackOff(delay), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, in time.Duration) {
		s.metrics.retries.Inc()
		if s.noisy.Allow() {
			s.log.Warn("flows not stored yet, trying again", "error", err, "shard", s.lane.number+1, "next_in", in, "queued_records", s.queue.size())
		}
	}))
	if errors.Is(err, backoff.ErrPermanent) && !errors.Is(err, errYields) {
		s.log.Error("flows refused by clickhouse and given up", "error", err, "records", in.records)
		s.metrics.dropped.WithLabelValues(droppedRefused).Add(float64(in.records))
		return in.records, nil
	}
	return lost, err
}

// judge counts the error of an attempt, and marks it where there is no use in another.
func (s *storer) judge(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	kind := errorKind(err)
	s.metrics.errors.WithLabelValues(kind).Inc()
	switch {
	case kind == errorPermanent && s.disk == nil:
		return backoff.Permanent(err)
	case !s.queue.alone(s.lane):
		return backoff.Permanent(errYields)
	}
	return err
}

// attempt inserts the records of in once. It tells how many cannot be stored any more.
func (s *storer) attempt(ctx context.Context, in *insertion) (lost int, err error) {
	b := s.queue.read(in)
	if b == nil {
		b = s.queue.memoryFor()
		corrupt, err := s.disk.load(in, b, s.decoder)
		switch {
		case errors.Is(err, spool.ErrEvicted):
			s.metrics.dropped.WithLabelValues(droppedSpoolFull).Add(float64(in.records))
			return in.records, nil
		case errors.Is(err, native.ErrForeign):
			corrupt, err := s.insert.insertSegment(ctx, s.lane.number, in.segment)
			return corrupt, s.inserted(in.records-corrupt, corrupt, err)
		case err != nil:
			return 0, err
		}
		s.queue.loaded(in, b, corrupt)
	}
	defer s.queue.readDone(in)
	if b.Len() == 0 {
		s.metrics.dropped.WithLabelValues(droppedCorrupt).Add(float64(in.corrupt))
		return in.corrupt, nil
	}
	began := time.Now()
	err = s.insert.insertBatch(ctx, s.lane.number, b, in.token)
	s.metrics.seconds.Observe(time.Since(began).Seconds())
	if err == nil {
		s.metrics.bytes.Add(float64(batchBytes(b)))
	}
	return in.corrupt, s.inserted(b.Len(), in.corrupt, err)
}

// inserted notes and counts what an insert came to.
func (s *storer) inserted(stored, corrupt int, err error) error {
	s.queue.attempted(s.lane.number, err != nil)
	if err != nil {
		return err
	}
	if stored > 0 {
		s.metrics.rows.Add(float64(stored))
		s.metrics.batches.Inc()
	}
	s.metrics.dropped.WithLabelValues(droppedCorrupt).Add(float64(corrupt))
	return nil
}
