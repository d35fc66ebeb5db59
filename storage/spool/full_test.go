package spool

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// disk makes files on a disk that can be told to fail.
type disk struct {
	room     int64 // bytes that can still be written; negative is no limit
	write    error // of writes for which there is no room
	sync     error
	truncate error
	read     error // of what is at badFrom or behind
	badFrom  int64
}

func (d *disk) open(name string, flag int, perm fs.FileMode) (file, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{f, d}, nil
}

type faultyFile struct {
	*os.File
	disk *disk
}

// WriteAt writes what there is room for, as the kernel does.
func (f *faultyFile) WriteAt(b []byte, offset int64) (n int, err error) {
	if f.disk.room >= 0 && int64(len(b)) > f.disk.room {
		b, err = b[:f.disk.room], f.disk.write
	}
	n, writeErr := f.File.WriteAt(b, offset)
	if f.disk.room >= 0 {
		f.disk.room -= int64(n)
	}
	return n, errors.Join(err, writeErr)
}

func (f *faultyFile) ReadAt(b []byte, offset int64) (int, error) {
	if f.disk.read != nil && offset+int64(len(b)) > f.disk.badFrom {
		return 0, f.disk.read
	}
	return f.File.ReadAt(b, offset)
}

func (f *faultyFile) Sync() error { return errors.Join(f.disk.sync, f.File.Sync()) }

func (f *faultyFile) Truncate(size int64) error {
	if f.disk.truncate != nil {
		return f.disk.truncate
	}
	return f.File.Truncate(size)
}

// However much of a frame the disk took, the frame is not there, and the next one is
// good.
func TestFullDisk(t *testing.T) {
	frames := someFrames(3, 40)
	_, offsets := fileOf(t, frames)
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO} {
		for room := range offsets[2] - offsets[1] {
			d := &disk{room: -1, write: full}
			cfg := Config{Dir: t.TempDir(), Fsync: FsyncNever}
			s, err := open(cfg, quiet, d.open)
			if err != nil {
				t.Fatal(err)
			}
			g := mustCreate(t, s, "a")
			mustAppend(t, g, frames[0])
			before := s.Stats()
			d.room = room
			_, err = g.Append(frames[1].Payload, frames[1].Records, frames[1].Oldest)
			if !errors.Is(err, full) || errors.Is(err, ErrNoSpace) != (full != syscall.EIO) {
				t.Fatalf("Append = %v, want %v", err, full)
			}
			info, err := os.Stat(s.path(g.name))
			if err != nil || info.Size() != offsets[1] || s.Stats() != before {
				t.Fatalf("the file has %d bytes, want %d; %+v", info.Size(), offsets[1], s.Stats())
			}
			d.room = -1
			mustAppend(t, g, frames[2])
			abandon(t, s)
			s = mustOpen(t, cfg)
			expect(t, s.Recovered()[0], []Frame{frames[0], frames[2]})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A failed frame that cannot be cut off at once is cut off before the next one, and
// read by nobody.
func TestFullDiskThatCannotCut(t *testing.T) {
	frames := someFrames(3, 40)
	d := &disk{room: -1, write: syscall.ENOSPC}
	cfg := Config{Dir: t.TempDir(), Fsync: FsyncNever}
	s, err := open(cfg, quiet, d.open)
	if err != nil {
		t.Fatal(err)
	}
	a, b := mustCreate(t, s, "a"), mustCreate(t, s, "b")
	mustAppend(t, a, frames[0])
	mustAppend(t, b, frames[0])
	d.truncate = syscall.EPERM
	for _, g := range []*Segment{a, b} {
		d.room = 35
		if _, err := g.Append(frames[1].Payload, 1, 1); !errors.Is(err, ErrNoSpace) || !errors.Is(err, syscall.EPERM) {
			t.Fatalf("Append = %v", err)
		}
	}
	d.room = -1
	if _, err := a.Append(frames[2].Payload, 1, 1); !errors.Is(err, syscall.EPERM) {
		t.Errorf("an append behind a part of another: %v", err)
	}
	if err := a.Seal(); !errors.Is(err, syscall.EPERM) {
		t.Errorf("Seal = %v", err)
	}
	expect(t, a, frames[:1])
	d.truncate = nil
	mustAppend(t, b, frames[2])
	abandon(t, s)
	s = mustOpen(t, cfg)
	defer s.Close()
	expect(t, s.Recovered()[0], frames[:1])
	expect(t, s.Recovered()[1], []Frame{frames[0], frames[2]})
	if s.Stats().Torn != 1 {
		t.Errorf("%+v", s.Stats())
	}
}

// With FsyncAlways a frame that did not reach the disk was not appended; with
// FsyncSegment the segment is sealed all the same.
func TestFailingSync(t *testing.T) {
	frames := someFrames(2, 40)
	for policy, want := range map[Fsync]int{FsyncAlways: 1, FsyncSegment: 2, FsyncNever: 2} {
		t.Run(policy.String(), func(t *testing.T) {
			d := &disk{room: -1}
			s, err := open(Config{Dir: t.TempDir(), Fsync: policy}, quiet, d.open)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			g := mustCreate(t, s, "a")
			mustAppend(t, g, frames[0])
			d.sync = syscall.ENOSPC
			_, err = g.Append(frames[1].Payload, frames[1].Records, frames[1].Oldest)
			if errors.Is(err, ErrNoSpace) != (policy == FsyncAlways) {
				t.Errorf("Append = %v", err)
			}
			if err := g.Seal(); errors.Is(err, ErrNoSpace) != (policy == FsyncSegment) {
				t.Errorf("Seal = %v", err)
			}
			expect(t, g, frames[:want])
		})
	}
}

// A new segment for which there is no room leaves no file behind.
func TestFullDiskForANewSegment(t *testing.T) {
	for room := range int64(headerSize) {
		d := &disk{room: room, write: syscall.ENOSPC}
		s, err := open(Config{Dir: t.TempDir(), Fsync: FsyncNever}, quiet, d.open)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Create("a"); !errors.Is(err, ErrNoSpace) {
			t.Fatalf("Create = %v", err)
		}
		if files, stats := names(t, s.cfg.Dir), s.Stats(); files != nil || stats.Segments != 0 || stats.Bytes != 0 {
			t.Fatalf("left: %v, %+v", files, stats)
		}
		d.room = -1
		mustAppend(t, mustCreate(t, s, "b"), someFrames(1, 40)...)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The kernel's own error of a full device.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Fatal(err)
	}
	full := func(name string, flag int, perm fs.FileMode) (file, error) {
		if strings.HasSuffix(name, segmentSuffix) {
			return os.OpenFile("/dev/full", os.O_RDWR, 0)
		}
		return openFile(name, flag, perm)
	}
	s, err := open(Config{Dir: t.TempDir()}, quiet, full)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Create("a"); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Create = %v", err)
	}
	s.open = openFile
	g := mustCreate(t, s, "b")
	real := g.file
	if g.file, err = full(segmentSuffix, 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Append([]byte("x"), 1, 1); !errors.Is(err, ErrNoSpace) {
		t.Errorf("Append = %v", err)
	}
	_ = g.file.Close()
	g.file = real
	mustAppend(t, g, someFrames(1, 40)...)
	mustSeal(t, g)
	expect(t, g, someFrames(1, 40))
}
