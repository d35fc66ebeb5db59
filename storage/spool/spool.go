package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Spool is a directory of segments. Safe for concurrent use.
type Spool struct {
	cfg       Config
	log       *slog.Logger
	open      opener
	encoders  *sync.Pool // of *encoder
	lock      *os.File
	recovered []*Segment

	mu       sync.Mutex
	closed   bool
	last     uint64     // the highest number of a segment
	segments []*Segment // those that have files, the oldest first
	bytes    int64      // of their files, and of what is being appended
	counters Counters
}

// Open takes the directory and everything in it. It logs what earlier processes left
// there and what of it was damaged. It fails with an *InUseError when another spool
// has the directory. MaxBytes takes no effect before the first Append or Create.
func Open(cfg Config, logger *slog.Logger) (*Spool, error) {
	return open(cfg, logger, openFile)
}

func open(cfg Config, logger *slog.Logger, opener opener) (_ *Spool, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the spool directory: %w", err)
	}
	s := &Spool{
		cfg: cfg, log: logger.With("component", "spool"),
		open: opener, encoders: encoders(cfg.Compression),
	}
	if s.lock, err = lock(cfg.Dir); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("recover the spool %s: %w", cfg.Dir, err), s.lock.Close())
	}
	return s, nil
}

// Recovered gives the segments that earlier processes left, sealed, none of them
// empty, the oldest first. Those that were evicted or removed since are among them.
func (s *Spool) Recovered() []*Segment { return slices.Clone(s.recovered) }

// Create begins a segment with a token of 1 to 255 bytes. It fails as Append does,
// and as Append it tells what it evicted, whether it fails or not.
func (s *Spool) Create(token string) (*Segment, Evicted, error) {
	if len(token) == 0 || len(token) > maxTokenBytes {
		return nil, Evicted{}, fmt.Errorf("create a segment: a token of %d bytes: it must have 1 to %d", len(token), maxTokenBytes)
	}
	head, encoded := newHeader(token, time.Now())
	g := &Segment{spool: s, header: head, oldest: math.MaxInt64}
	g.mu.Lock() // whoever finds it listed waits until it has a file
	defer g.mu.Unlock()
	evicted, err := s.enlist(g)
	if err != nil {
		return nil, evicted, fmt.Errorf("create a segment: %w", err)
	}
	if err := g.create(encoded); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unlist(g, stateRemoved)
		return nil, evicted, fmt.Errorf("create a segment: %w", noSpace(err))
	}
	return g, evicted, nil
}

// enlist gives the segment a number and room for its header.
func (s *Spool) enlist(g *Segment) (Evicted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Evicted{}, ErrClosed
	}
	evicted, err := s.reserve(headerSize)
	if err != nil {
		return evicted, err
	}
	s.last++
	g.name = segmentName(s.last)
	g.end, g.size = headerSize, headerSize
	s.segments = append(s.segments, g)
	return evicted, nil
}

// Close seals the open segments, removes those of them that have no frames, and
// gives the directory back. What is sealed stays for the next Open. Readers should be
// closed before.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	segments := slices.Clone(s.segments)
	s.mu.Unlock()
	var all []error
	for _, g := range segments {
		all = append(all, g.closeOpen())
	}
	return errors.Join(append(all, s.lock.Close())...)
}

func (s *Spool) path(name string) string { return filepath.Join(s.cfg.Dir, name) }
