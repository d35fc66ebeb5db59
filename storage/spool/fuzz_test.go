package spool

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzOpen opens any file. What is recovered stays the same the next time; the file
// either is a segment, or is set aside, or held nothing.
func FuzzOpen(f *testing.F) {
	data, offsets := fileOf(f, someFrames(3, 60))
	f.Add(data)
	f.Add(data[:offsets[2]+10])
	f.Add(data[:headerSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, segmentName(7))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := Config{Dir: dir, Fsync: FsyncNever}
		first, ok := openAll(t, cfg)
		if !ok {
			return
		}
		second, _ := openAll(t, cfg)
		if diff := diffFrames(first, second); diff != "" {
			t.Errorf("the second time: %s", diff)
		}
		if len(data) > 0 && len(first) > 0 {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
	})
}

// openAll gives all frames; ok is false when the format is of another version.
func openAll(t *testing.T, cfg Config) (frames []Frame, ok bool) {
	s, err := Open(cfg, quiet)
	if err != nil {
		if inUse := new(InUseError); errors.As(err, &inUse) {
			t.Fatal(err)
		}
		return nil, false
	}
	for _, g := range s.Recovered() {
		some, _ := contents(t, g)
		frames = append(frames, some...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return frames, true
}
