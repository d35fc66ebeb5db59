package storage_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
	"tapwatch/storage/native"
	"tapwatch/storage/spool"
)

// newSegment begins a segment in a spool of its own, in dir.
func newSegment(t *testing.T, dir, token string) *spool.Segment {
	t.Helper()
	s, err := spool.Open(spool.Config{Dir: dir}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g, _, err := s.Create(token)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// frame is the payload of a frame with n records of b.
func frame(t *testing.T, b *flow.Batch, from, n int) []byte {
	t.Helper()
	var part flow.Batch
	part.AppendRange(b, from, n)
	block, err := native.NewEncoder().Encode(&part)
	if err != nil {
		t.Fatal(err)
	}
	return block.Append(nil)
}

// foreign adds a column to the payload of so many records, as a newer tapwatch would.
func foreign(payload []byte, records int, value byte) []byte {
	payload[0]++ // columns
	payload = append(payload, "\x05novel\x05UInt8"...)
	for range records {
		payload = append(payload, value)
	}
	return payload
}

func appendFrame(t *testing.T, g *spool.Segment, payload []byte, records int) {
	t.Helper()
	if _, err := g.Append(payload, records, testTime.UnixMilli()); err != nil {
		t.Fatal(err)
	}
}

func seal(t *testing.T, g *spool.Segment) {
	t.Helper()
	if err := g.Seal(); err != nil {
		t.Fatal(err)
	}
}

func insertSegment(t *testing.T, s *storage.Store, g *spool.Segment) (corrupt int) {
	t.Helper()
	corrupt, err := storage.InsertSegment(t.Context(), s, g)
	if err != nil {
		t.Fatal(err)
	}
	return corrupt
}

// With a journal an insert goes out of memory as one block, while its segment has a
// frame for each Write. If the next tapwatch has to send it from there, nothing is
// stored twice, in flows or what depends on it.
func TestSegmentIsKnownAgain(t *testing.T) {
	s := testkit.Store(t)
	b := someFlows(300, testTime)
	g := newSegment(t, t.TempDir(), "writer/run/1")
	for from := range 3 {
		appendFrame(t, g, frame(t, b, 100*from, 100), 100)
	}
	seal(t, g)
	if err := storage.InsertBatch(t.Context(), s, b, g.Token()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if corrupt := insertSegment(t, s, g); corrupt != 0 {
			t.Errorf("%d records are corrupt", corrupt)
		}
	}
	for query, want := range map[string]uint64{
		"SELECT count() FROM flows":                300,
		"SELECT uniqExact(bytes) FROM flows":       300,
		"SELECT count() FROM watched_flows":        150,
		"SELECT sum(flows) FROM exporter_activity": 300,
	} {
		if got := scan[uint64](t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

// A column that not every frame has is stored; what is damaged, or is no block, is
// skipped and told.
func TestSegmentWithForeignAndBrokenFrames(t *testing.T) {
	s := testkit.Store(t)
	if err := s.Exec(t.Context(), "ALTER TABLE flows ADD COLUMN novel UInt8"); err != nil {
		t.Fatal(err)
	}
	b, dir := someFlows(60, testTime), t.TempDir()
	g := newSegment(t, dir, "writer/run/2")
	appendFrame(t, g, frame(t, b, 0, 10), 10)
	appendFrame(t, g, frame(t, b, 10, 20), 20)
	damaged := g.Bytes() - 1
	appendFrame(t, g, []byte("no block"), 7)
	appendFrame(t, g, foreign(frame(t, b, 30, 30), 30, 5), 30)
	seal(t, g)
	overwrite(t, dir, damaged)

	if corrupt := insertSegment(t, s, g); corrupt != 27 {
		t.Errorf("%d records are corrupt, want 20 that are damaged and 7 that are no block", corrupt)
	}
	for query, want := range map[string]uint64{
		"SELECT count() FROM flows":                            40,
		"SELECT countIf(novel = 5) FROM flows":                 30,
		"SELECT countIf(novel = 0) FROM flows":                 10,
		"SELECT count() FROM flows WHERE src_asset = 'admf-1'": 40,
	} {
		if got := scan[uint64](t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

// overwrite damages a byte of the only segment in dir.
func overwrite(t *testing.T, dir string, at int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(names) != 1 {
		t.Fatalf("segments %v, error %v", names, err)
	}
	f, err := os.OpenFile(names[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var old [1]byte
	_, err = f.ReadAt(old[:], at)
	old[0] ^= 0xff
	_, writeErr := f.WriteAt(old[:], at)
	if err := errors.Join(err, writeErr, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A segment of which nothing can be read is done with.
func TestSegmentOfBrokenFramesAlone(t *testing.T) {
	s := testkit.Store(t)
	g := newSegment(t, t.TempDir(), "writer/run/3")
	appendFrame(t, g, []byte("no block"), 7)
	seal(t, g)
	if corrupt := insertSegment(t, s, g); corrupt != 7 {
		t.Errorf("%d records are corrupt, want 7", corrupt)
	}
	if n := scan[uint64](t, s, "SELECT count() FROM flows"); n != 0 {
		t.Errorf("%d flows are stored", n)
	}
}
