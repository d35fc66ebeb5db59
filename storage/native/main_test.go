package native_test

import (
	"crypto/rand"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
	"tapwatch/storage/native"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var testTime = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// options reach the database of s as its writer.
func options(t testing.TB, s *storage.Store) native.Options {
	t.Helper()
	e := testkit.Engine(t).Writer()
	return native.Options{Addresses: e.Addresses, Database: s.Database(), Username: e.Username, Password: e.Password}
}

// client is a client that is closed when the test ends.
func client(t testing.TB, o native.Options) *native.Client {
	t.Helper()
	c := native.New(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the client: %v", err)
		}
	})
	return c
}

// encode encodes with an encoder of its own.
func encode(t testing.TB, b *flow.Batch) *native.Block {
	t.Helper()
	block, err := native.NewEncoder().Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// insert inserts blocks into flows with a token.
func insert(t testing.TB, c *native.Client, token string, blocks ...*native.Block) {
	t.Helper()
	if err := c.Insert(t.Context(), native.Insert{Table: "flows", Token: token}, each(blocks...)); err != nil {
		t.Fatal(err)
	}
}

func each(blocks ...*native.Block) func(func(*native.Block, error) bool) {
	return func(yield func(*native.Block, error) bool) {
		for _, b := range blocks {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// counts checks the results of queries that count.
func counts(t *testing.T, s *storage.Store, want map[string]uint64) {
	t.Helper()
	for query, want := range want {
		if got := count(t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

func count(t testing.TB, s *storage.Store, query string) uint64 {
	t.Helper()
	var v uint64
	if err := s.QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func token() string { return rand.Text() }
