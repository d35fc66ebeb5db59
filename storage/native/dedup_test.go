package native_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
	"tapwatch/storage/native"
)

// numbered are blocks of records whose Bytes count up; every other is watched.
func numbered(t testing.TB, sizes ...int) []*native.Block {
	var blocks []*native.Block
	from := 0
	for _, n := range sizes {
		blocks = append(blocks, encode(t, numberedBatch(from, n)))
		from += n
	}
	return blocks
}

func numberedBatch(from, n int) *flow.Batch {
	var b flow.Batch
	b.Grow(n)
	for i := range n {
		b.ReceivedAt[i] = testTime.UnixMilli()
		b.Bytes[i] = uint64(from + i)
		b.Watched[i] = (from+i)%2 == 0
	}
	return &b
}

// stored checks that the records 0 to n-1 are stored, each so often, and that the
// views had the same.
func stored(t *testing.T, s *storage.Store, n, times uint64) {
	t.Helper()
	counts(t, s, map[string]uint64{
		"SELECT count() FROM flows":                n * times,
		"SELECT uniqExact(bytes) FROM flows":       n,
		"SELECT count() FROM watched_flows":        n / 2 * times,
		"SELECT sum(flows) FROM exporter_activity": n * times,
	})
}

// pieces makes small pieces, so that an insert of a few records has several.
var pieces = []native.Setting{{Name: "min_insert_block_size_rows", Value: "250"}}

func TestRepeatedInsertStoresNothingTwice(t *testing.T) {
	for name, settings := range map[string][]native.Setting{"one piece": nil, "several pieces": pieces} {
		t.Run(name, func(t *testing.T) {
			s := testkit.Store(t)
			c := client(t, options(t, s))
			blocks := numbered(t, 100, 100, 100, 300, 100, 100, 200)
			for _, token := range []string{"a", "a", "b", "a"} {
				in := native.Insert{Table: "flows", Token: token, Settings: settings}
				if err := c.Insert(t.Context(), in, each(blocks...)); err != nil {
					t.Fatal(err)
				}
			}
			stored(t, s, 1000, 2)
		})
	}
}

// An insert that ended after some of its pieces is completed by the next. What was sent
// of a piece that was not complete is not stored.
func TestPartialInsertIsCompleted(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	blocks := numbered(t, 100, 100, 100, 100, 100, 100, 100, 100)
	in := native.Insert{Table: "flows", Token: "a", Settings: pieces}
	enough := errors.New("enough")
	if err := c.Insert(t.Context(), in, failing(enough, blocks[:4]...)); !errors.Is(err, enough) {
		t.Fatalf("Insert of blocks that fail: %v", err)
	}
	if got := count(t, s, "SELECT count() FROM flows"); got != 0 && got != 300 {
		t.Errorf("%d records of an insert that failed are stored, want whole pieces of 300", got)
	}
	for range 2 {
		if err := c.Insert(t.Context(), in, each(blocks...)); err != nil {
			t.Fatal(err)
		}
	}
	stored(t, s, 800, 1)
}

// failing gives the blocks, and then the error.
func failing(err error, blocks ...*native.Block) iter.Seq2[*native.Block, error] {
	return func(yield func(*native.Block, error) bool) {
		for _, b := range blocks {
			if !yield(b, nil) {
				return
			}
		}
		yield(nil, err)
	}
}

// What Insert warns of: ClickHouse knows a piece by the token and the numbers of its
// blocks. If this test fails, a newer ClickHouse does better, and the comment may say so.
func TestSplitMatters(t *testing.T) {
	t.Run("the same records in other blocks are stored again", func(t *testing.T) {
		s := testkit.Store(t)
		c := client(t, options(t, s))
		insert(t, c, "a", numbered(t, 400, 400)...)
		insert(t, c, "a", numbered(t, 300, 300, 200)...)
		stored(t, s, 800, 2)
	})
	t.Run("a bigger block of the same number is taken for stored", func(t *testing.T) {
		s := testkit.Store(t)
		c := client(t, options(t, s))
		in := native.Insert{Table: "flows", Token: "a", Settings: pieces}
		for _, blocks := range [][]*native.Block{numbered(t, 300), numbered(t, 500, 300)} {
			if err := c.Insert(t.Context(), in, each(blocks...)); err != nil {
				t.Fatal(err)
			}
		}
		counts(t, s, map[string]uint64{"SELECT count() FROM flows": 600, "SELECT countIf(bytes BETWEEN 300 AND 499) FROM flows": 0})
	})
}

// An insert that clickhouse-go sent is known again, compressed or not.
func TestTokenIsThatOfTheOldWay(t *testing.T) {
	s := testkit.Store(t)
	o := options(t, s)
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: o.Addresses, Auth: clickhouse.Auth{Database: o.Database, Username: o.Username, Password: o.Password}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b := numberedBatch(0, 100)
	if err := columnarInsert(t.Context(), conn, "flows", "a", b); err != nil {
		t.Fatal(err)
	}
	for _, o.Compression = range []native.Compression{native.Uncompressed, native.LZ4} {
		insert(t, client(t, o), "a", encode(t, b))
	}
	stored(t, s, 100, 1)
}
