package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tapwatch/flow"
	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// disk keeps insertions in a spool. A nil disk keeps nothing. Safe for concurrent use.
type disk struct {
	spool    *spool.Spool
	always   bool      // everything goes to disk before it counts as received
	encoders sync.Pool // of *diskEncoder
	log      *slog.Logger
	noisy    *rate.Limiter
}

// diskEncoder is what it takes to write a batch.
type diskEncoder struct {
	*native.Encoder
	payload []byte
}

// openDisk opens the spool; nil where none is configured.
func openDisk(cfg Config, log *slog.Logger) (*disk, error) {
	if cfg.Spool.MaxBytes == 0 {
		return nil, nil
	}
	s, err := spool.Open(cfg.Spool, log)
	if err != nil {
		return nil, err
	}
	return &disk{
		spool: s, always: cfg.Durability == DurabilityJournal, log: log,
		encoders: sync.Pool{New: func() any { return &diskEncoder{Encoder: native.NewEncoder()} }},
		noisy:    rate.NewLimiter(rate.Every(5*time.Second), 1),
	}, nil
}

func (d *disk) journals() bool { return d != nil && d.always }

func (d *disk) recovered() []*spool.Segment {
	if d == nil {
		return nil
	}
	return d.spool.Recovered()
}

// journal writes the records of b to the segment of the insertion, which it creates if
// there is none. It tells whether older segments had to go.
func (d *disk) journal(in *insertion, b *flow.Batch, oldest int64) (evicted bool, err error) {
	if in.segment == nil {
		if in.segment, evicted, err = d.create(in.token); err != nil {
			return evicted, err
		}
	}
	more, err := d.append(in.segment, b, oldest)
	return evicted || more, err
}

func (d *disk) create(token string) (g *spool.Segment, evicted bool, err error) {
	g, e, err := d.spool.Create(token)
	return g, e.Segments > 0, err
}

func (d *disk) append(g *spool.Segment, b *flow.Batch, oldest int64) (evicted bool, err error) {
	e := d.encoders.Get().(*diskEncoder)
	defer d.encoders.Put(e)
	block, err := e.Encode(b)
	if err != nil {
		return false, err
	}
	e.payload = block.Append(e.payload[:0])
	gone, err := g.Append(e.payload, b.Len(), oldest)
	return gone.Segments > 0, err
}

// spill writes an insertion that is in memory alone to a segment, and gives that.
func (d *disk) spill(in *insertion) (g *spool.Segment, evicted bool, err error) {
	g, evicted, err = d.create(in.token)
	if err != nil {
		return nil, evicted, err
	}
	more, err := d.append(g, in.batch, in.oldest)
	evicted = evicted || more
	if err != nil {
		d.discard(g)
		return nil, evicted, err
	}
	d.seal(g)
	return g, evicted, nil
}

// discard removes a segment that is not wanted.
func (d *disk) discard(g *spool.Segment) {
	if err := errors.Join(g.Seal(), g.Remove()); err != nil && !errors.Is(err, spool.ErrEvicted) {
		d.complain(err)
	}
}

// seal ends a segment, if there is one. What is in it stays even where that fails: it
// may be less safe against a loss of power.
func (d *disk) seal(g *spool.Segment) {
	if g == nil {
		return
	}
	if err := g.Seal(); err != nil {
		d.complain(err)
	}
}

// load reads the records of an insertion that is on disk alone into b. It tells how
// many could not be read.
func (d *disk) load(in *insertion, b *flow.Batch, decoder *native.Decoder) (corrupt int, err error) {
	r, err := in.segment.Read()
	if errors.Is(err, fs.ErrNotExist) {
		d.log.Error("a file of the spool was removed, and its flows with it", "token", in.token, "records", in.records)
		return in.records, nil
	}
	if err != nil {
		return 0, err
	}
	defer r.Close()
	corrupt, err = eachBlock(r, func(block *native.Block) error { return decoder.Append(b, block) })
	if err != nil {
		return corrupt, fmt.Errorf("segment %s: %w", in.token, err)
	}
	return corrupt, nil
}

// eachBlock calls f with every block that can be read, until its first error. It tells how
// many records were in frames that are damaged or hold no block.
func eachBlock(r *spool.Reader, f func(*native.Block) error) (corrupt int, err error) {
	for {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Corrupt() + corrupt, nil
		}
		if err != nil {
			return r.Corrupt() + corrupt, err
		}
		var block native.Block
		if _, err := block.Read(frame.Payload); err != nil {
			corrupt += frame.Records
			continue
		}
		if err := f(&block); err != nil {
			return r.Corrupt() + corrupt, err
		}
	}
}

// complain logs, now and then, that the spool cannot be written.
func (d *disk) complain(err error) {
	if d.noisy.Allow() {
		d.log.Error("flows cannot be written to the spool", "error", err)
	}
}

// stats are those of the spool.
func (d *disk) stats() spool.Stats {
	if d == nil {
		return spool.Stats{}
	}
	return d.spool.Stats()
}

// close gives the spool back.
func (d *disk) close() error {
	if d == nil {
		return nil
	}
	return d.spool.Close()
}
