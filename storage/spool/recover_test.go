package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Segments come back in the order of their creation, open ones as sealed; new ones
// go on behind them.
func TestRecovery(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	frames := someFrames(3, 50)
	s := mustOpen(t, cfg)
	tokens := []string{"a", "b", "c"}
	for i, token := range tokens {
		g := mustCreate(t, s, token)
		mustAppend(t, g, frames[:i+1]...)
		if i == 1 {
			mustSeal(t, g)
		}
	}
	mustCreate(t, s, "without frames")
	abandon(t, s)

	for _, foreign := range []string{"1.seg", "notes", segmentName(99) + corruptSuffix, "000000000000000000xx.seg"} {
		if err := os.WriteFile(filepath.Join(cfg.Dir, foreign), []byte("foreign"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = mustOpen(t, cfg)
	defer s.Close()
	recovered := s.Recovered()
	for i, g := range recovered {
		if g.Token() != tokens[i] {
			t.Errorf("segment %d has token %q", i, g.Token())
		}
		expect(t, g, frames[:i+1])
	}
	if stats := s.Stats(); len(recovered) != 3 || stats.Segments != 3 || stats.Counters != (Counters{}) {
		t.Errorf("%d segments recovered; %+v", len(recovered), stats)
	}
	if g := mustCreate(t, s, "d"); g.name != segmentName(100) {
		t.Errorf("the next segment is %s", g.name)
	}
}

// Wherever the write of the last frame was cut short, the whole frames come back, and
// the same ones again the next time.
func TestTornTail(t *testing.T) {
	frames := someFrames(3, 40)
	data, offsets := fileOf(t, frames)
	for size := offsets[2]; size < offsets[3]; size++ {
		cfg := withFile(t, t.TempDir(), data[:size])
		for try := range 2 {
			s := mustOpen(t, cfg)
			if len(s.Recovered()) != 1 {
				t.Fatalf("cut at %d: %d segments", size, len(s.Recovered()))
			}
			expect(t, s.Recovered()[0], frames[:2])
			var counters Counters
			if try == 0 && size > offsets[2] {
				counters.Torn = 1
			}
			if try == 0 && size >= offsets[2]+frameHeaderSize {
				counters.TornRecords = 4
			}
			want := Stats{Segments: 1, Records: 3, Bytes: offsets[2], Oldest: 999, Counters: counters}
			if diff := cmp.Diff(want, s.Stats()); diff != "" {
				t.Fatalf("cut at %d: %s", size, diff)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A file that ends in its header or first frame holds nothing that was acknowledged.
func TestTornBeforeTheFirstFrame(t *testing.T) {
	data, offsets := fileOf(t, someFrames(1, 40))
	for size := range offsets[1] {
		cfg := withFile(t, t.TempDir(), data[:size])
		s := mustOpen(t, cfg)
		want := Counters{Torn: 1}
		switch {
		case size == headerSize:
			want.Torn = 0
		case size >= headerSize+frameHeaderSize:
			want.TornRecords = 1
		}
		if got := s.Stats().Counters; len(s.Recovered()) != 0 || got != want {
			t.Fatalf("cut at %d: %d segments, %+v", size, len(s.Recovered()), got)
		}
		if left := names(t, cfg.Dir); left != nil {
			t.Fatalf("cut at %d: left %v", size, left)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever byte is wrong, what comes back is a frame as it was written, and what does
// not is counted.
func TestFlippedByte(t *testing.T) {
	frames := someFrames(4, 40)
	data, offsets := fileOf(t, frames)
	for _, mask := range []byte{0xff, 0x01} {
		for at := range data {
			damaged := bytes.Clone(data)
			damaged[at] ^= mask
			cfg := withFile(t, t.TempDir(), damaged)
			s := mustOpen(t, cfg)
			checkFlipped(t, s, int64(at), frames, offsets)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func checkFlipped(t *testing.T, s *Spool, at int64, frames []Frame, offsets []int64) {
	t.Helper()
	end := offsets[len(offsets)-1]
	hit := -1 // the frame that is damaged
	for i := range frames {
		if at >= offsets[i] {
			hit = i
		}
	}
	if hit < 0 || hit == 0 && at < offsets[0]+frameHeaderSize {
		aside := names(t, s.cfg.Dir)
		want := Counters{CorruptSegments: 1, CorruptBytes: uint64(end)}
		if len(s.Recovered()) != 0 || s.Stats().Counters != want || !cmp.Equal(aside, []string{segmentName(7) + corruptSuffix}) {
			t.Fatalf("byte %d: %d segments, %+v, files %v", at, len(s.Recovered()), s.Stats().Counters, aside)
		}
		return
	}
	good, want := frames[:hit:hit], Counters{CorruptBytes: uint64(end - offsets[hit])}
	if at >= offsets[hit]+frameHeaderSize {
		good = append(good, frames[hit+1:]...)
		want = Counters{CorruptRecords: uint64(frames[hit].Records), CorruptBytes: uint64(offsets[hit+1] - offsets[hit])}
	}
	for range 2 { // nothing counts twice
		got, corrupt := contents(t, s.Recovered()[0])
		if diff := diffFrames(good, got); diff != "" || uint64(corrupt) != want.CorruptRecords {
			t.Fatalf("byte %d: %d records corrupt; %s", at, corrupt, diff)
		}
		if diff := cmp.Diff(want, s.Stats().Counters); diff != "" {
			t.Fatalf("byte %d: %s", at, diff)
		}
	}
}

// Damage that comes after Open: the number of lost records is known.
func TestDamageAfterOpen(t *testing.T) {
	frames := someFrames(3, 40)
	data, offsets := fileOf(t, frames)
	for name, damage := range map[string]func(path string) error{
		"header": func(path string) error {
			d := bytes.Clone(data)
			d[offsets[1]] ^= 1
			return os.WriteFile(path, d, 0o600)
		},
		"cut in a header":  func(path string) error { return os.Truncate(path, offsets[1]+5) },
		"cut in a payload": func(path string) error { return os.Truncate(path, offsets[2]-5) },
	} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, withFile(t, t.TempDir(), data))
			defer s.Close()
			g := s.Recovered()[0]
			if err := damage(s.path(g.name)); err != nil {
				t.Fatal(err)
			}
			got, corrupt := contents(t, g)
			if want := frames[1].Records + frames[2].Records; diffFrames(frames[:1], got) != "" || corrupt != want {
				t.Errorf("%d frames, %d records corrupt, want %d", len(got), corrupt, want)
			}
			want := Counters{CorruptRecords: uint64(corrupt), CorruptBytes: uint64(offsets[3] - offsets[1])}
			if diff := cmp.Diff(want, s.Stats().Counters); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A frame of another file, or of another place, is none, as after a loss of power
// that leaves old blocks in a new file.
func TestFrameAtAnotherPlace(t *testing.T) {
	frames := someFrames(2, 40)
	data, offsets := fileOf(t, frames)
	repeated := append(bytes.Clone(data), data[offsets[1]:]...)
	s := mustOpen(t, withFile(t, t.TempDir(), repeated))
	defer s.Close()
	expect(t, s.Recovered()[0], frames)
	if lost := s.Stats().CorruptBytes; lost != uint64(offsets[2]-offsets[1]) {
		t.Errorf("%d bytes corrupt", lost)
	}
}

// What a newer program wrote is not thrown away.
func TestUnknownVersion(t *testing.T) {
	data, _ := fileOf(t, someFrames(1, 10))
	binary.LittleEndian.PutUint16(data[8:], 2)
	binary.LittleEndian.PutUint32(data[headerSum:], crc32.Checksum(data[:headerSum], castagnoli))
	cfg := withFile(t, t.TempDir(), data)
	for range 2 { // the lock is given back
		_, err := Open(cfg, quiet)
		if err == nil || !strings.Contains(err.Error(), "version 2") || !strings.Contains(err.Error(), segmentName(7)) {
			t.Errorf("Open = %v", err)
		}
	}
	if left := names(t, cfg.Dir); len(left) != 1 {
		t.Errorf("files: %v", left)
	}
}
