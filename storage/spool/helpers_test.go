package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var quiet = slog.New(slog.DiscardHandler)

// testing.TB, or a rapid.T
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func mustOpen(t tb, cfg Config) *Spool {
	t.Helper()
	s, err := Open(cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// abandon leaves the spool as a killed process would.
func abandon(t tb, s *Spool) {
	t.Helper()
	if err := s.lock.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustCreate(t tb, s *Spool, token string) *Segment {
	t.Helper()
	g, _, err := s.Create(token)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mustAppend(t tb, g *Segment, frames ...Frame) {
	t.Helper()
	for _, f := range frames {
		if _, err := g.Append(f.Payload, f.Records, f.Oldest); err != nil {
			t.Fatal(err)
		}
	}
}

func mustSeal(t tb, g *Segment) {
	t.Helper()
	if err := g.Seal(); err != nil {
		t.Fatal(err)
	}
}

// contents are the good frames of the segment, and how many records were skipped.
func contents(t tb, g *Segment) (frames []Frame, corrupt int) {
	t.Helper()
	r, err := g.Read()
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Payload = bytes.Clone(f.Payload)
		frames = append(frames, f)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return frames, r.Corrupt()
}

// expect compares frames, and what the segment tells of them.
func expect(t tb, g *Segment, want []Frame) {
	t.Helper()
	got, corrupt := contents(t, g)
	if diff := diffFrames(want, got); diff != "" || corrupt != 0 {
		t.Fatalf("%s: %d records corrupt, frames differ (-want +got):\n%s", g.name, corrupt, diff)
	}
	records := 0
	for _, f := range want {
		records += f.Records
	}
	if g.Records() != records {
		t.Fatalf("%s: %d records, want %d", g.name, g.Records(), records)
	}
}

// diffFrames is cmp.Diff for long payloads.
func diffFrames(want, got []Frame) string {
	return cmp.Diff(want, got, cmp.Comparer(bytes.Equal))
}

// someFrames are n frames that differ in everything; every other payload does not
// compress.
func someFrames(n, size int) []Frame {
	random := rand.NewChaCha8([32]byte{})
	frames := make([]Frame, n)
	for i := range frames {
		payload := bytes.Repeat(fmt.Appendf(nil, "%d,", i), size/2+n)[:size+i]
		if i%2 == 1 {
			_, _ = random.Read(payload) // never fails
		}
		frames[i] = Frame{Records: 1 << i, Oldest: int64(1000 - i), Payload: payload}
	}
	return frames
}

// fileOf is the content of the one segment with the frames, and where each begins;
// the last offset is the end.
func fileOf(t testing.TB, frames []Frame) (data []byte, offsets []int64) {
	t.Helper()
	s := mustOpen(t, Config{Dir: t.TempDir()})
	g := mustCreate(t, s, "token")
	for _, f := range frames {
		offsets = append(offsets, g.Bytes())
		mustAppend(t, g, f)
	}
	offsets = append(offsets, g.Bytes())
	data, err := os.ReadFile(s.path(g.name))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return data, offsets
}

// withFile makes a directory with one segment of the content.
func withFile(t testing.TB, dir string, data []byte) Config {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, segmentName(7)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{Dir: dir, Fsync: FsyncNever}
}

func names(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != lockFile {
			names = append(names, e.Name())
		}
	}
	return names
}
