package spool

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	frames := append(someFrames(5, 300), Frame{Records: 500, Oldest: -1, Payload: make([]byte, 200_000)})
	for _, c := range []Compression{LZ4, ZSTD, None} {
		for _, f := range []Fsync{FsyncSegment, FsyncAlways, FsyncNever} {
			t.Run(c.String()+" "+f.String(), func(t *testing.T) {
				cfg := Config{Dir: filepath.Join(t.TempDir(), "a", "b"), Compression: c, Fsync: f}
				s := mustOpen(t, cfg)
				g := mustCreate(t, s, strings.Repeat("t", maxTokenBytes))
				mustAppend(t, g, frames...)
				mustSeal(t, g)
				expect(t, g, frames)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, Config{Dir: cfg.Dir}) // reads what any compression wrote
				again := s.Recovered()
				if len(again) != 1 {
					t.Fatalf("%d segments recovered", len(again))
				}
				expect(t, again[0], frames)
				if again[0].Token() != g.Token() || !again[0].Created().Equal(g.Created()) || again[0].Oldest() != -1 {
					t.Errorf("token, creation or oldest changed: %+v", again[0].header)
				}
				if err := errors.Join(again[0].Remove(), s.Close()); err != nil {
					t.Error(err)
				}
				if left := names(t, cfg.Dir); left != nil {
					t.Errorf("left: %v", left)
				}
			})
		}
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := mustOpen(t, Config{Dir: dir})
	defer s.Close()
	g := mustCreate(t, s, "a")
	for path, want := range map[string]os.FileMode{dir: 0o700, s.path(g.name): 0o600, s.path(lockFile): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
}

// Every call in every state of a segment.
func TestStates(t *testing.T) {
	for _, c := range []struct {
		name               string
		bring              func(t *testing.T, s *Spool, g *Segment)
		append, seal, read error
		remove             error
	}{
		{"open", func(*testing.T, *Spool, *Segment) {}, nil, nil, ErrOpen, nil},
		{"sealed", func(t *testing.T, _ *Spool, g *Segment) { mustSeal(t, g) }, ErrSealed, nil, nil, nil},
		{"removed", func(t *testing.T, _ *Spool, g *Segment) {
			if err := g.Remove(); err != nil {
				t.Fatal(err)
			}
		}, ErrRemoved, ErrRemoved, ErrRemoved, nil},
		{"evicted", func(t *testing.T, s *Spool, g *Segment) {
			mustSeal(t, g)
			s.cfg.MaxBytes = headerSize
			mustCreate(t, s, "b")
		}, ErrEvicted, ErrEvicted, ErrEvicted, ErrEvicted},
		{"closed", func(t *testing.T, s *Spool, g *Segment) {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}, ErrClosed, nil, ErrClosed, ErrClosed},
	} {
		calls := map[string]func(g *Segment) (got, want error){
			"append": func(g *Segment) (error, error) { _, err := g.Append([]byte("x"), 1, 1); return err, c.append },
			"seal":   func(g *Segment) (error, error) { return g.Seal(), c.seal },
			"remove": func(g *Segment) (error, error) { return g.Remove(), c.remove },
			"read": func(g *Segment) (error, error) {
				r, err := g.Read()
				if err == nil {
					err = r.Close()
				}
				return err, c.read
			},
		}
		for call, do := range calls {
			t.Run(c.name+" "+call, func(t *testing.T) {
				s := mustOpen(t, Config{Dir: t.TempDir()})
				defer s.Close()
				g := mustCreate(t, s, "a")
				mustAppend(t, g, Frame{1, 1, []byte("a")})
				c.bring(t, s, g)
				if got, want := do(g); !errors.Is(got, want) {
					t.Errorf("%v, want %v", got, want)
				}
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	s := mustOpen(t, Config{Dir: t.TempDir()})
	g := mustCreate(t, s, "a")
	for name, frame := range map[string]Frame{
		"no payload":       {1, 1, nil},
		"large payload":    {1, 1, make([]byte, MaxPayloadBytes+1)},
		"no records":       {0, 1, []byte("a")},
		"too many records": {math.MaxUint32 + 1, 1, []byte("a")},
	} {
		if _, err := g.Append(frame.Payload, frame.Records, frame.Oldest); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, token := range []string{"", strings.Repeat("x", maxTokenBytes+1)} {
		if _, _, err := s.Create(token); err == nil {
			t.Errorf("token %q: no error", token)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Create("a"); !errors.Is(err, ErrClosed) {
		t.Errorf("Create after Close: %v", err)
	}
	if left := names(t, s.cfg.Dir); left != nil {
		t.Errorf("an open segment without frames stays after Close: %v", left)
	}
}

// The largest payload there may be can be written and read, though it does not
// compress.
func TestLargestPayload(t *testing.T) {
	s := mustOpen(t, Config{Dir: t.TempDir(), Fsync: FsyncNever})
	defer s.Close()
	frames := someFrames(2, MaxPayloadBytes-1)[1:]
	g := mustCreate(t, s, "a")
	mustAppend(t, g, frames...)
	mustSeal(t, g)
	expect(t, g, frames)
}

func TestStats(t *testing.T) {
	s := mustOpen(t, Config{Dir: t.TempDir()})
	defer s.Close()
	if diff := cmp.Diff(Stats{Oldest: math.MaxInt64}, s.Stats()); diff != "" {
		t.Error(diff)
	}
	a, b := mustCreate(t, s, "a"), mustCreate(t, s, "b")
	if a.Oldest() != math.MaxInt64 || a.Bytes() != headerSize || time.Since(a.Created()).Abs() > time.Minute {
		t.Errorf("an empty segment: oldest %d, %d bytes, created %s", a.Oldest(), a.Bytes(), a.Created())
	}
	mustAppend(t, a, Frame{3, 30, []byte("a")}, Frame{4, 40, []byte("a")})
	mustAppend(t, b, Frame{5, 20, []byte("b")})
	if diff := cmp.Diff(Stats{Segments: 2, Records: 12, Bytes: a.Bytes() + b.Bytes(), Oldest: 20}, s.Stats()); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(s.path(a.name)); err != nil || info.Size() != a.Bytes() {
		t.Errorf("the file has %d bytes, the segment %d (%v)", info.Size(), a.Bytes(), err)
	}
	if err := b.Remove(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Stats{Segments: 1, Records: 7, Bytes: a.Bytes(), Oldest: 30}, s.Stats()); diff != "" {
		t.Error(diff)
	}
}

// A reader goes on over Remove: an insert closes it afterwards.
func TestRemoveWhileReading(t *testing.T) {
	s := mustOpen(t, Config{Dir: t.TempDir()})
	defer s.Close()
	g := mustCreate(t, s, "a")
	mustAppend(t, g, someFrames(2, 10)...)
	mustSeal(t, g)
	r, err := g.Read()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last frame: %v", err)
		}
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
