package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/ClickHouse/ch-go/compress"
)

// Frame is what one Append wrote.
type Frame struct {
	Records int
	Oldest  int64  // least received_at, Unix ms
	Payload []byte // valid until the next call of Next or Close
}

// Reader gives the frames of a sealed segment, one at a time. Until it is closed the
// segment is not evicted: an insert closes it after it has removed the segment. Not
// safe for concurrent use; several readers of a segment are.
type Reader struct {
	segment *Segment
	file    file // nil when closed
	at      int64
	left    int // records not given yet
	corrupt int

	head    [frameHeaderSize]byte
	block   []byte
	source  bytes.Reader // of block
	blocks  *compress.Reader
	payload []byte
}

// Read begins to read the segment. It fails with ErrOpen, ErrEvicted or ErrRemoved.
func (g *Segment) Read() (*Reader, error) {
	s := g.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, g.wrap("read", ErrClosed)
	case g.state.err() != nil:
		return nil, g.wrap("read", g.state.err())
	case g.state == stateOpen:
		return nil, g.wrap("read", ErrOpen)
	}
	f, err := s.open(s.path(g.name), os.O_RDONLY, 0)
	if err != nil {
		return nil, g.wrap("read", err)
	}
	g.readers++
	return &Reader{segment: g, file: f, at: headerSize, left: g.records}, nil
}

// Next gives the next frame, and io.EOF after the last. Damaged frames are skipped
// and counted; behind a damaged header there is nothing more. Another error means
// that the file cannot be read now.
func (r *Reader) Next() (Frame, error) {
	if r.file == nil {
		return Frame{}, r.segment.wrap("read", os.ErrClosed)
	}
	for r.at < r.segment.end { // of a sealed segment: it does not change
		h, err := r.frameHeader()
		if damage(err) {
			r.skip(r.segment.end-r.at, r.left, err)
			break
		}
		if err != nil {
			return Frame{}, r.segment.wrap("read", err)
		}
		payload, err := r.readPayload(h)
		if damage(err) {
			r.skip(h.size(), h.records, err)
			continue
		}
		if err != nil {
			return Frame{}, r.segment.wrap("read", err)
		}
		r.at += h.size()
		r.left -= h.records
		return Frame{h.records, h.oldest, payload}, nil
	}
	return Frame{}, io.EOF
}

// Corrupt is how many records of damaged frames were skipped so far.
func (r *Reader) Corrupt() int { return r.corrupt }

// Close ends the reading. To close twice is no error.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	r.segment.spool.mu.Lock()
	defer r.segment.spool.mu.Unlock()
	r.segment.readers--
	return err
}

func (r *Reader) frameHeader() (frameHeader, error) {
	if err := readAt(r.file, r.head[:], r.at); err != nil {
		return frameHeader{}, err
	}
	h, err := parseFrameHeader(r.head[:], r.segment.header.sum, r.at)
	if err == nil && h.size() > r.segment.end-r.at {
		err = errDamaged
	}
	return h, err
}

// errPayload says that a block is not as it was written.
var errPayload = errors.New("damaged payload")

func (r *Reader) readPayload(h frameHeader) ([]byte, error) {
	r.block = resize(r.block, h.block)
	if err := readAt(r.file, r.block, r.at+frameHeaderSize); err != nil {
		return nil, err
	}
	if !h.fits(r.block) {
		return nil, errPayload
	}
	if r.blocks == nil {
		r.blocks = compress.NewReader(&r.source)
	}
	r.source.Reset(r.block)
	r.payload = resize(r.payload, h.payload)
	if _, err := io.ReadFull(r.blocks, r.payload); err != nil {
		r.blocks = nil // after an error it gives what it had before
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	return r.payload, nil
}

// skip counts what is damaged and goes on behind it.
func (r *Reader) skip(size int64, records int, err error) {
	g, s := r.segment, r.segment.spool
	s.mu.Lock()
	first := g.counted == 0
	if r.at >= g.counted {
		g.counted = r.at + size
		s.counters.CorruptRecords += uint64(records)
		s.counters.CorruptBytes += uint64(size)
	}
	s.mu.Unlock()
	if first { // the counters tell of the others
		s.log.Error("damaged frame skipped", "segment", g.name, "offset", r.at, "bytes", size, "records", records, "error", err)
	}
	r.at += size
	r.left -= records
	r.corrupt += records
}

// damage tells whether the error is of the data, or of the place on the disk where
// it should be.
func damage(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, errPayload) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EIO)
}

// readAt fills b, or fails with io.ErrUnexpectedEOF where the file ends before.
func readAt(f io.ReaderAt, b []byte, offset int64) error {
	n, err := f.ReadAt(b, offset)
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	}
	return err
}

// resize gives n bytes of any content, in the memory of b if it is enough.
func resize(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
