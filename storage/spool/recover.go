package spool

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

const (
	segmentSuffix = ".seg"
	corruptSuffix = ".corrupt"
)

func segmentName(number uint64) string { return fmt.Sprintf("%020d%s", number, segmentSuffix) }

// segmentNumber is the reverse of segmentName.
func segmentNumber(name string) (number uint64, ok bool) {
	number, err := strconv.ParseUint(strings.TrimSuffix(name, segmentSuffix), 10, 64)
	return number, err == nil && name == segmentName(number)
}

// recover takes over what earlier processes left in the directory.
func (s *Spool) recover() error {
	entries, err := os.ReadDir(s.cfg.Dir) // sorted by name
	if err != nil {
		return err
	}
	for _, entry := range entries {
		number, ok := segmentNumber(strings.TrimSuffix(entry.Name(), corruptSuffix))
		if !ok {
			continue
		}
		s.last = max(s.last, number)
		if strings.HasSuffix(entry.Name(), corruptSuffix) {
			continue
		}
		if err := s.recoverSegment(entry.Name()); err != nil {
			return fmt.Errorf("%s: %w", entry.Name(), err)
		}
	}
	s.recovered = append(s.recovered, s.segments...)
	if len(s.recovered) > 0 {
		stats := s.Stats()
		s.log.Info("segments recovered", "segments", stats.Segments, "records", stats.Records, "bytes", stats.Bytes)
	}
	return nil
}

// recoverSegment takes over one file: it becomes a segment, or goes if it holds
// nothing, or is set aside if it is not known what it holds.
func (s *Spool) recoverSegment(name string) error {
	f, err := s.open(s.path(name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	g := &Segment{spool: s, name: name, state: stateSealed, end: headerSize, size: info.Size(), oldest: math.MaxInt64}
	if g.size < headerSize {
		return s.forget(g, true) // ended in Create: there was no append
	}
	encoded := make([]byte, headerSize)
	if err = readAt(f, encoded, 0); err == nil {
		g.header, err = parseHeader(encoded)
	}
	if damage(err) {
		return s.setAside(g, err)
	}
	if err != nil {
		return err
	}
	return s.recoverFrames(g, f)
}

func (s *Spool) recoverFrames(g *Segment, f file) error {
	end, torn, err := g.scan(f)
	switch {
	case err != nil && !errors.Is(err, errTorn) && !damage(err):
		return err
	case errors.Is(err, errTorn):
		s.counters.TornRecords += uint64(torn)
		if end == headerSize {
			return s.forget(g, true)
		}
		s.counters.Torn++
		s.log.Warn("torn frame cut off", "segment", g.name, "bytes", g.size-end, "records_kept", g.records, "records_cut", torn)
		if err := f.Truncate(end); err != nil {
			return fmt.Errorf("cut off a torn frame: %w", err)
		}
		g.size = end
	case err != nil && end == headerSize:
		return s.setAside(g, err)
	case err != nil:
		s.counters.CorruptBytes += uint64(g.size - end)
		s.log.Error("rest of a segment given up behind a damaged frame header",
			"segment", g.name, "offset", end, "bytes", g.size-end, "records_kept", g.records, "error", err)
	case end == headerSize:
		return s.forget(g, false)
	}
	g.end = end
	s.segments = append(s.segments, g)
	s.bytes += g.size
	if s.cfg.Fsync != FsyncNever { // it may have been open, and is sealed now
		if err := f.Sync(); err != nil {
			s.log.Warn("a loss of power may take a recovered segment", "segment", g.name, "error", err)
		}
	}
	return nil
}

// errTorn says that the file ends before what was begun does.
var errTorn = errors.New("torn frame")

// scan counts the frames by their headers. It tells where the good ones end, and with
// errTorn or another error why they end before the file does, and how many records the
// torn frame had, if that is known.
func (g *Segment) scan(f file) (end int64, torn int, err error) {
	var b [frameHeaderSize]byte
	for end = headerSize; end < g.size; {
		if g.size-end < frameHeaderSize {
			return end, 0, errTorn
		}
		if err := readAt(f, b[:], end); err != nil {
			return end, 0, err
		}
		h, err := parseFrameHeader(b[:], g.header.sum, end)
		if err != nil {
			return end, 0, err
		}
		if h.size() > g.size-end {
			return end, h.records, errTorn
		}
		end += h.size()
		g.records += h.records
		g.oldest = min(g.oldest, h.oldest)
	}
	return end, 0, nil
}

// forget deletes a file that holds nothing that was acknowledged.
func (s *Spool) forget(g *Segment, torn bool) error {
	if torn {
		s.counters.Torn++
		s.log.Warn("torn segment without a whole frame deleted", "segment", g.name, "bytes", g.size)
	}
	return os.Remove(s.path(g.name))
}

// setAside renames a file whose content cannot be trusted at all.
func (s *Spool) setAside(g *Segment, reason error) error {
	s.counters.CorruptSegments++
	s.counters.CorruptBytes += uint64(g.size)
	s.log.Error("damaged segment set aside", "segment", g.name, "bytes", g.size, "renamed_to", g.name+corruptSuffix, "error", reason)
	return os.Rename(s.path(g.name), s.path(g.name+corruptSuffix))
}
