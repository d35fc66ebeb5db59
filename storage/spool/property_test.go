package spool

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// modelSegment is what a segment must hold.
type modelSegment struct {
	g      *Segment
	token  string
	frames []Frame
	open   bool
	reader *Reader
}

func (m *modelSegment) records() (n int) {
	for _, f := range m.frames {
		n += f.Records
	}
	return n
}

// machine does the same to a spool and to a model of it.
type machine struct {
	cfg      Config
	disk     *disk
	spool    *Spool
	segments []*modelSegment // the oldest first
	tokens   int
}

// Whatever is done, and wherever the process ends or the disk is full, the frames
// that were acknowledged are there, and no others.
func TestModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		sub, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{disk: &disk{room: -1, write: syscall.ENOSPC}, cfg: Config{
			Dir:         sub,
			MaxBytes:    rapid.SampledFrom([]int64{0, 1000, 3000}).Draw(t, "max_bytes"),
			Fsync:       FsyncNever,
			Compression: rapid.SampledFrom([]Compression{LZ4, None}).Draw(t, "compression"),
		}}
		m.start(t)
		t.Repeat(map[string]func(*rapid.T){
			"create": m.create, "append": m.append, "seal": m.seal, "remove": m.remove,
			"read": m.read, "close reader": m.closeReader, "kill": m.kill, "stop": m.stop, "": m.check,
		})
		m.kill(t)
		if err := errors.Join(m.spool.Close(), os.RemoveAll(sub)); err != nil {
			t.Fatal(err)
		}
	})
}

func (m *machine) start(t *rapid.T) {
	s, err := open(m.cfg, quiet, m.disk.open)
	if err != nil {
		t.Fatal(err)
	}
	m.spool = s
	m.segments = slices.DeleteFunc(m.segments, func(seg *modelSegment) bool { return len(seg.frames) == 0 })
	if len(s.Recovered()) != len(m.segments) {
		t.Fatalf("%d segments recovered, want %d", len(s.Recovered()), len(m.segments))
	}
	for i, g := range s.Recovered() {
		seg := m.segments[i]
		if g.Token() != seg.token {
			t.Fatalf("segment %d has token %q, want %q", i, g.Token(), seg.token)
		}
		expect(t, g, seg.frames)
		seg.g, seg.open = g, false
	}
}

// fault fills the disk for one operation, mostly not.
func (m *machine) fault(t *rapid.T) (mend func()) {
	m.disk.room = rapid.SampledFrom([]int64{-1, -1, -1, 0, 10, 60, 200}).Draw(t, "room")
	if m.disk.room >= 0 && rapid.Bool().Draw(t, "cannot cut") {
		m.disk.truncate = syscall.EPERM
	}
	return func() { m.disk.room, m.disk.truncate = -1, nil }
}

func (m *machine) create(t *rapid.T) {
	mend := m.fault(t)
	m.tokens++
	token := fmt.Sprint("token ", m.tokens)
	g, evicted, err := m.spool.Create(token)
	mend()
	m.evict(t, evicted)
	m.allowed(t, err)
	if err == nil {
		m.segments = append(m.segments, &modelSegment{g: g, token: token, open: true})
	}
}

func (m *machine) append(t *rapid.T) {
	seg := m.pick(t, func(seg *modelSegment) bool { return seg.open })
	frame := Frame{
		Records: rapid.IntRange(1, 1000).Draw(t, "records"),
		Oldest:  rapid.Int64().Draw(t, "oldest"),
		Payload: rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "payload"),
	}
	mend := m.fault(t)
	evicted, err := seg.g.Append(frame.Payload, frame.Records, frame.Oldest)
	mend()
	m.evict(t, evicted)
	m.allowed(t, err)
	if err == nil {
		seg.frames = append(seg.frames, frame)
	}
}

// allowed refuses errors that nothing gave reason for.
func (m *machine) allowed(t *rapid.T, err error) {
	if err != nil && !errors.Is(err, ErrNoSpace) && !(errors.Is(err, ErrFull) && m.cfg.MaxBytes > 0) && !errors.Is(err, syscall.EPERM) {
		t.Fatal(err)
	}
}

// evict takes the oldest that may go out of the model.
func (m *machine) evict(t *rapid.T, evicted Evicted) {
	segments, records := 0, 0
	m.segments = slices.DeleteFunc(m.segments, func(seg *modelSegment) bool {
		if segments == evicted.Segments || seg.open || seg.reader != nil {
			return false
		}
		segments++
		records += seg.records()
		if _, err := seg.g.Read(); !errors.Is(err, ErrEvicted) {
			t.Fatalf("%s is not evicted: %v", seg.token, err)
		}
		return true
	})
	if segments != evicted.Segments || records != evicted.Records {
		t.Fatalf("evicted %+v, want %d segments with %d records", evicted, segments, records)
	}
}

func (m *machine) seal(t *rapid.T) {
	seg := m.pick(t, func(seg *modelSegment) bool { return seg.open })
	mend := m.fault(t)
	err := seg.g.Seal()
	mend()
	m.allowed(t, err)
	seg.open = false
	expect(t, seg.g, seg.frames)
}

func (m *machine) remove(t *rapid.T) {
	seg := m.pick(t, func(*modelSegment) bool { return true })
	if err := seg.g.Remove(); err != nil {
		t.Fatal(err)
	}
	seg.close(t)
	m.segments = slices.DeleteFunc(m.segments, func(other *modelSegment) bool { return other == seg })
}

func (m *machine) read(t *rapid.T) {
	seg := m.pick(t, func(seg *modelSegment) bool { return !seg.open && seg.reader == nil })
	expect(t, seg.g, seg.frames)
	r, err := seg.g.Read()
	if err != nil {
		t.Fatal(err)
	}
	seg.reader = r
}

func (m *machine) closeReader(t *rapid.T) {
	m.pick(t, func(seg *modelSegment) bool { return seg.reader != nil }).close(t)
}

func (m *modelSegment) close(t *rapid.T) {
	if m.reader == nil {
		return
	}
	if err := m.reader.Close(); err != nil {
		t.Fatal(err)
	}
	m.reader = nil
}

func (m *machine) kill(t *rapid.T) {
	for _, seg := range m.segments {
		seg.close(t)
		if seg.open {
			_ = seg.g.file.Close() // the kernel does that
		}
	}
	abandon(t, m.spool)
	m.start(t)
}

func (m *machine) stop(t *rapid.T) {
	for _, seg := range m.segments {
		seg.close(t)
	}
	if err := m.spool.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t)
}

// check compares the numbers, and holds the bound.
func (m *machine) check(t *rapid.T) {
	want := Stats{Segments: len(m.segments), Oldest: math.MaxInt64}
	for _, seg := range m.segments {
		want.Records += seg.records()
		want.Bytes += seg.g.Bytes()
		for _, f := range seg.frames {
			want.Oldest = min(want.Oldest, f.Oldest)
		}
	}
	got := m.spool.Stats()
	got.Counters = Counters{}
	if got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
	if m.cfg.MaxBytes > 0 && got.Bytes > m.cfg.MaxBytes {
		t.Fatalf("%d bytes pass the bound", got.Bytes)
	}
}

// pick chooses a segment, or gives the step up when there is none.
func (m *machine) pick(t *rapid.T, of func(*modelSegment) bool) *modelSegment {
	var some []*modelSegment
	for _, seg := range m.segments {
		if of(seg) {
			some = append(some, seg)
		}
	}
	if len(some) == 0 {
		t.Skip("none")
	}
	return some[rapid.IntRange(0, len(some)-1).Draw(t, "segment")]
}
