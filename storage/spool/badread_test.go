package spool

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A place on the disk that cannot be read is damage; an error that may pass is told,
// and loses nothing.
func TestUnreadable(t *testing.T) {
	frames := someFrames(3, 40)
	data, offsets := fileOf(t, frames)
	for _, c := range []struct {
		name    string
		badFrom int64
		read    error
		frames  []Frame
		corrupt Counters
	}{
		{"payload", offsets[3] - 1, syscall.EIO, frames[:2], Counters{CorruptRecords: 4, CorruptBytes: uint64(offsets[3] - offsets[2])}},
		{"frame header", offsets[1], syscall.EIO, frames[:1], Counters{CorruptRecords: 6, CorruptBytes: uint64(offsets[3] - offsets[1])}},
		{"payload, passing", offsets[3] - 1, syscall.ESTALE, frames[:2], Counters{}},
		{"frame header, passing", offsets[1], syscall.ESTALE, frames[:1], Counters{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &disk{room: -1}
			s, err := open(withFile(t, t.TempDir(), data), quiet, d.open)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			r, err := s.Recovered()[0].Read()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			d.read, d.badFrom = c.read, c.badFrom
			for i, want := range c.frames {
				got, err := r.Next()
				if err != nil || diffFrames([]Frame{want}, []Frame{got}) != "" {
					t.Errorf("frame %d: %v", i, err)
				}
			}
			_, err = r.Next()
			if passing := c.corrupt == (Counters{}); passing != errors.Is(err, c.read) {
				t.Errorf("after that: %v", err)
			}
			if diff := cmp.Diff(c.corrupt, s.Stats().Counters); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnreadableAtOpen(t *testing.T) {
	data, offsets := fileOf(t, someFrames(3, 40))
	for name, c := range map[string]struct {
		badFrom  int64
		segments int
		lost     int64
	}{
		"header":       {0, 0, offsets[3]},
		"first frame":  {offsets[0], 0, offsets[3]},
		"second frame": {offsets[1], 1, offsets[3] - offsets[1]},
	} {
		for _, read := range []error{syscall.EIO, syscall.ESTALE} {
			t.Run(name+" "+read.Error(), func(t *testing.T) {
				cfg := withFile(t, t.TempDir(), data)
				s, err := open(cfg, quiet, (&disk{room: -1, read: read, badFrom: c.badFrom}).open)
				if read != syscall.EIO {
					if !errors.Is(err, read) || !cmp.Equal(names(t, cfg.Dir), []string{segmentName(7)}) {
						t.Errorf("Open = %v, files %v", err, names(t, cfg.Dir))
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if stats := s.Stats(); stats.Segments != c.segments || stats.CorruptBytes != uint64(c.lost) {
					t.Errorf("%+v", stats)
				}
			})
		}
	}
}

// A file that cannot be deleted stays a segment, and its room is not given away.
func TestUndeletable(t *testing.T) {
	s, segments := full(t, 1, 2)
	path := s.path(segments[0].name)
	if err := errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "not empty"), 0o700)); err != nil {
		t.Fatal(err)
	}
	before := s.Stats()
	if err := segments[0].Remove(); err == nil {
		t.Error("Remove tells no error")
	}
	if _, evicted, err := s.Create("new"); err == nil || evicted != (Evicted{}) {
		t.Errorf("Create = %+v, %v", evicted, err)
	}
	if diff := cmp.Diff(before, s.Stats()); diff != "" {
		t.Error(diff)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := segments[0].Remove(); err != nil { // somebody else deleted it
		t.Error(err)
	}
	mustCreate(t, s, "new")
}
