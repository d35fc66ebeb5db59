//go:build linux

package chaos

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// frame is where a frame lies in a file of the spool: see the package spool for the
// format of its files.
type frame struct {
	at, size int64 // with its header
	records  uint64
}

const (
	segmentHeader = 288
	frameHeader   = 28
)

// frames finds the frames of a file of the spool.
func frames(t *testing.T, file string) (all []frame) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(segmentHeader); at+frameHeader <= int64(len(text)); {
		head := text[at : at+frameHeader]
		if string(head[:4]) != "FRAM" {
			t.Fatalf("%s has no frame at %d", file, at)
		}
		f := frame{at, frameHeader + int64(binary.LittleEndian.Uint32(head[20:])), uint64(binary.LittleEndian.Uint32(head[4:]))}
		all = append(all, f)
		at += f.size
	}
	return all
}

// lastSegment is the latest file of the spool that has several frames, and those.
func lastSegment(t *testing.T, s *setup) (file string, all []frame) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "data/spool/*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Backward(files) {
		if all := frames(t, file); len(all) >= 2 {
			return file, all
		}
	}
	t.Fatalf("no file of %d in the spool has two frames", len(files))
	return "", nil
}

// damages are what can happen to the files of a spool, with the reason by which the
// records of one frame then count as lost.
var damages = []struct {
	name, reason string
	// harm damages one frame of the file, and gives its records.
	harm func(t *testing.T, f *os.File, all []frame) uint64
}{
	{"cut", "spool_torn", func(t *testing.T, f *os.File, all []frame) uint64 {
		last := all[len(all)-1]
		if err := f.Truncate(last.at + last.size/2); err != nil {
			t.Fatal(err)
		}
		return last.records
	}},
	{"flipped", "spool_corrupt", func(t *testing.T, f *os.File, all []frame) uint64 {
		middle := all[len(all)/2]
		var b [16]byte
		at := middle.at + frameHeader + middle.size/2
		if _, err := f.ReadAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		for i := range b {
			b[i] ^= 0xff
		}
		if _, err := f.WriteAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		return middle.records
	}},
}

// TestTornSpool damages a file of the spool of a tapwatch that was killed: the next one
// starts, stores all that is whole, and counts what is not.
func TestTornSpool(t *testing.T) {
	t.Parallel()
	for _, damage := range damages {
		t.Run(damage.name, func(t *testing.T) {
			t.Parallel()
			a := newAway(t)
			s := newSetup(t, a.config()+journal)
			w := s.start(t)
			e := export(t, "tcp", "127.10.5.1", s.tcp, 1)
			w.until(t, "records are received", func(m metrics) bool { return m[received] > 5000 })
			e.stop()
			sent := float64(e.sent.Load())
			w.until(t, "all records are received", func(m metrics) bool { return m[received] == sent })
			w.kill()

			file, all := lastSegment(t, s)
			f, err := os.OpenFile(file, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			harmed := damage.harm(t, f, all)
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}

			a.set(true)
			w = s.start(t)
			m := w.until(t, "what is whole is stored", func(m metrics) bool { return m[stored] > 0 && m[waiting] == 0 })
			t.Logf("%v records received, %d of them in the harmed frame, %d counted as lost", sent, harmed, m.count(dropped))
			if m.droppedFor(damage.reason) != harmed || m.count(dropped) != harmed {
				t.Errorf("%d records are counted as lost, %d of them for %s: want %d", m.count(dropped), m.droppedFor(damage.reason), damage.reason, harmed)
			}
			once(t, a.store(t), e.sent.Load()-harmed)
		})
	}
}
