package spool

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frameOf is a frame of exactly 100 bytes in the file.
func frameOf(records int) Frame {
	frame := Frame{Records: records, Oldest: int64(records), Payload: make([]byte, 100-frameHeaderSize-blockHeaderSize)}
	frame.Payload[0] = byte(records)
	return frame
}

// full makes a spool with one segment for each number of records, all of one frame
// and sealed, and no byte left.
func full(t *testing.T, records ...int) (*Spool, []*Segment) {
	t.Helper()
	size := int64(len(records)) * (headerSize + 100)
	s := mustOpen(t, Config{Dir: t.TempDir(), MaxBytes: size, Compression: None})
	t.Cleanup(func() { _ = s.Close() })
	segments := make([]*Segment, len(records))
	for i, n := range records {
		segments[i] = mustCreate(t, s, "t")
		mustAppend(t, segments[i], frameOf(n))
		mustSeal(t, segments[i])
	}
	if s.Stats().Bytes != size {
		t.Fatalf("%d bytes, want %d", s.Stats().Bytes, size)
	}
	return s, segments
}

func TestTheOldestGoes(t *testing.T) {
	s, segments := full(t, 1, 2, 4, 8)
	r, err := segments[0].Read() // in use
	if err != nil {
		t.Fatal(err)
	}
	g, evicted, err := s.Create("new")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Evicted{Segments: 1, Records: 2, Bytes: headerSize + 100}, evicted); diff != "" {
		t.Error(diff)
	}
	if _, err := segments[1].Read(); !errors.Is(err, ErrEvicted) {
		t.Errorf("the evicted segment: %v", err)
	}
	evicted, err = g.Append(frameOf(16).Payload, 16, 16)
	if err != nil || evicted != (Evicted{}) {
		t.Errorf("an append for which there is room: %+v, %v", evicted, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 500) // takes two segments' room
	evicted, err = g.Append(big, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Evicted{Segments: 2, Records: 1 + 4, Bytes: 2 * (headerSize + 100)}, evicted); diff != "" {
		t.Error(diff)
	}
	stats := s.Stats()
	if stats.EvictedSegments != 3 || stats.EvictedRecords != 7 || stats.Records != 8+16+32 || stats.Segments != 2 {
		t.Errorf("%+v", stats)
	}
	if files := names(t, s.cfg.Dir); !cmp.Equal(files, []string{segments[3].name, g.name}) {
		t.Errorf("files: %v", files)
	}
}

func TestFull(t *testing.T) {
	for name, occupy := range map[string]func(t *testing.T, s *Spool, segments []*Segment) *Segment{
		"all being read": func(t *testing.T, s *Spool, segments []*Segment) *Segment {
			g := mustCreate(t, s, "open") // evicts the first
			for _, other := range segments[1:] {
				r, err := other.Read()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = r.Close() })
			}
			return g
		},
		"only the open one left": func(t *testing.T, s *Spool, segments []*Segment) *Segment {
			for _, other := range segments {
				if err := other.Remove(); err != nil {
					t.Fatal(err)
				}
			}
			return mustCreate(t, s, "open")
		},
		"evicting all would not do": func(t *testing.T, s *Spool, _ []*Segment) *Segment {
			return mustCreate(t, s, "open")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, segments := full(t, 1, 2, 4)
			g := occupy(t, s, segments)
			before := s.Stats()
			evicted, err := g.Append(make([]byte, 4*388), 8, 8)
			if !errors.Is(err, ErrFull) || evicted != (Evicted{}) {
				t.Errorf("Append = %+v, %v", evicted, err)
			}
			if diff := cmp.Diff(before, s.Stats()); diff != "" {
				t.Errorf("something changed: %s", diff)
			}
			mustAppend(t, g, frameOf(16)) // this fits
			mustSeal(t, g)
			expect(t, g, []Frame{frameOf(16)})
		})
	}
}

func TestFullForANewSegment(t *testing.T) {
	s, segments := full(t, 1)
	r, err := segments[0].Read()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Create("b"); !errors.Is(err, ErrFull) {
		t.Errorf("Create = %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustCreate(t, s, "b")
}

// A bound that was lowered while nothing ran takes effect at the first append.
func TestLoweredBound(t *testing.T) {
	s, _ := full(t, 1, 2, 4)
	abandon(t, s)
	s = mustOpen(t, Config{Dir: s.cfg.Dir, MaxBytes: 700})
	defer s.Close()
	if len(s.Recovered()) != 3 || s.Stats().Segments != 3 {
		t.Errorf("%d recovered", len(s.Recovered()))
	}
	_, evicted, err := s.Create("new")
	if want := (Evicted{Segments: 2, Records: 3, Bytes: 776}); err != nil || evicted != want {
		t.Errorf("Create evicts %+v, %v", evicted, err)
	}
}
