package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/collector/pcap"
	"tapwatch/flow"
	"tapwatch/storage"
)

// replayBatch is how many records a replay enriches at a time.
const replayBatch = 16384

// Replayed is what a replay did.
type Replayed struct {
	Datagrams, Records, OptionsRecords uint64
	// Dropped counts what could not be decoded, by reason; Skipped the packets of
	// the captures that carry no whole UDP datagram.
	Dropped map[string]uint64
	Skipped pcap.Skipped
	// First and Last are the stamps of the first and the last datagram.
	First, Last time.Time
}

// Replay stores the flow exports of capture files in db with the captures' own
// times as received_at. The files are one stream: templates of the first serve the
// next. Progress, if not nil, is called with the bytes read since its last call.
func Replay(ctx context.Context, cfg Config, db *Database, files []string, progress func(bytes int64), logger *slog.Logger) (Replayed, error) {
	if err := cfg.missing(); err != nil {
		return Replayed{}, err
	}
	registry := prometheus.NewRegistry()
	inv, err := cfg.loadInventory()
	if err != nil {
		return Replayed{}, err
	}
	enrichment, err := newEnrichment(cfg.Enrich, inv, logger, registry)
	if err != nil {
		return Replayed{}, err
	}
	toStore := cfg.writer()
	toStore.Spool.MaxBytes = 0 // a replay can be made again; and the spool is the running tapwatch's
	writer, err := storage.NewWriter(toStore, logger, registry)
	if err != nil {
		return Replayed{}, err
	}
	writer.Attach(db.Store)
	r := &replay{
		decoder:  collector.NewDecoder(cfg.Collector, protocols(), listedExporters{inv}),
		health:   healthBook{store: db.Store, every: cfg.Collector.HealthInterval},
		writer:   writer,
		enrich:   enrichment,
		progress: progress,
		began:    time.Now(),
		done:     Replayed{Dropped: map[string]uint64{}},
	}
	life := newLifecycle()
	life.start("writer", r.writer.Run)
	err = life.until(ctx, func(ctx context.Context) error { return r.run(ctx, files) })
	return r.done, errors.Join(err, life.stop())
}

type replay struct {
	decoder  *collector.Decoder
	writer   *storage.Writer
	enrich   *enrichment
	health   healthBook
	progress func(int64)
	began    time.Time
	batch    flow.Batch
	done     Replayed
}

func (r *replay) run(ctx context.Context, files []string) error {
	for _, f := range files {
		if err := r.file(ctx, f); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	return r.finish(ctx)
}

// finish stores what is left.
func (r *replay) finish(ctx context.Context) error {
	if err := r.write(ctx); err != nil {
		return err
	}
	if err := r.writer.Flush(ctx); err != nil {
		return err
	}
	r.count(r.decoder.Health(r.done.Last))
	return r.health.flush(ctx)
}

// take decodes one datagram. What was counted is told in the intervals in which a
// running collector would have told it.
func (r *replay) take(ctx context.Context, d export) error {
	if r.health.due(d.at) {
		r.count(r.decoder.Health(r.health.next))
		if err := r.health.advance(ctx, d.at); err != nil {
			return err
		}
	}
	r.stamp(d.at)
	r.decoder.Datagram(&r.batch, d.from, d.at, d.payload)
	if r.batch.Len() >= replayBatch {
		return r.write(ctx)
	}
	return nil
}

// count adds up what was counted in an interval, and keeps it.
func (r *replay) count(health []flow.Health) {
	for _, h := range health {
		r.done.Records += h.Records
		r.done.OptionsRecords += h.OptionsRecords
		for reason, n := range h.Dropped {
			r.done.Dropped[reason] += n
		}
	}
	r.health.rows = append(r.health.rows, health...)
}

// healthBook keeps what the decoder counted, interval by interval of stream time, until
// there is enough of it for an insert.
type healthBook struct {
	store *storage.Store
	every time.Duration
	next  time.Time // end of the running interval
	rows  []flow.Health
}

// healthRows is how many rows are stored in one insert.
const healthRows = 10_000

// due tells whether the interval has ended by then.
func (b *healthBook) due(at time.Time) bool {
	if b.next.IsZero() {
		b.next = at.Truncate(b.every).Add(b.every)
	}
	return !at.Before(b.next)
}

// advance goes on to the interval that holds at.
func (b *healthBook) advance(ctx context.Context, at time.Time) error {
	b.next = at.Truncate(b.every).Add(b.every)
	if len(b.rows) < healthRows {
		return nil
	}
	return b.flush(ctx)
}

func (b *healthBook) flush(ctx context.Context) error {
	err := b.store.InsertHealthHistory(ctx, b.rows)
	b.rows = b.rows[:0]
	return err
}

func (r *replay) file(ctx context.Context, name string) error {
	capture, err := pcap.Open(name)
	if err != nil {
		return err
	}
	defer capture.Close()
	defer func() {
		s := capture.Skipped()
		r.done.Skipped.NotUDP += s.NotUDP
		r.done.Skipped.Fragments += s.Fragments
		r.done.Skipped.Cut += s.Cut
	}()
	var read int64
	for {
		d, err := capture.Next()
		if r.progress != nil {
			now := capture.Read()
			r.progress(now - read)
			read = now
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.Time.After(r.began.Add(time.Minute)) {
			return fmt.Errorf("%s: a datagram is stamped %s, in the future: live detection would take it for what arrives then; mend the capture's clock", name, d.Time.UTC().Format(time.RFC3339))
		}
		if err := r.take(ctx, export{d.Time, d.From, d.Payload}); err != nil {
			return err
		}
	}
}

func (r *replay) stamp(at time.Time) {
	r.done.Datagrams++
	if r.done.First.IsZero() || at.Before(r.done.First) {
		r.done.First = at
	}
	if at.After(r.done.Last) {
		r.done.Last = at
	}
}

// write enriches the batch and hands it to the writer.
func (r *replay) write(ctx context.Context) error {
	r.enrich.chain.Enrich(&r.batch)
	defer r.batch.Reset()
	return r.writer.Write(ctx, &r.batch)
}
