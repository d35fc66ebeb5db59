package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// window gives findings of one window, one for each identity.
func window(minute int, ids ...string) []alert.Finding {
	start := time.Date(2026, 11, 18, 10, minute, 0, 0, time.UTC)
	var all []alert.Finding
	for _, id := range ids {
		all = append(all, alert.Finding{ID: id, Severity: alert.Low, WindowStart: start, WindowEnd: start.Add(time.Minute), Title: id})
	}
	return all
}

// published is what the subscriber got until now.
func published(changes <-chan alert.Alert) []string {
	var all []string
	for {
		select {
		case a := <-changes:
			all = append(all, a.ID)
		default:
			return all
		}
	}
}

// flaky is a store whose alerts cannot be read while broken.
type flaky struct {
	*storage.Store
	broken bool
}

func (f *flaky) Alerts(ctx context.Context, q alert.Query) ([]alert.Alert, error) {
	if f.broken {
		return nil, errors.New("connection reset")
	}
	return f.Store.Alerts(ctx, q)
}

// TestRecordPublishesEveryChangeOnce has the store fail between storing and
// publishing, after which another detector is the first to succeed.
func TestRecordPublishesEveryChangeOnce(t *testing.T) {
	ctx := t.Context()
	store := &flaky{Store: testkit.Store(t)}
	if err := store.InsertFindings(ctx, window(0, "old"), time.Now()); err != nil {
		t.Fatal(err)
	}
	feed := alert.NewFeed()
	changes, end := feed.Subscribe()
	defer end()
	var r recorder
	check := func(what string, want ...string) {
		t.Helper()
		if got := published(changes); !slices.Equal(got, want) {
			t.Errorf("%s: published %q, want %q", what, got, want)
		}
	}
	if err := r.record(ctx, store, feed, window(1, "a")); err != nil {
		t.Fatal(err)
	}
	check("after a start", "a")

	store.broken = true
	if err := r.record(ctx, store, feed, window(2, "b", "a")); err == nil {
		t.Error("the store failed and record did not")
	}
	check("while the store fails")

	store.broken = false
	if err := r.record(ctx, store, feed, window(2, "c")); err != nil {
		t.Fatal(err)
	}
	check("another detector", "b", "a", "c")

	if err := r.record(ctx, store, feed, window(2, "b", "a")); err != nil {
		t.Fatal(err)
	}
	check("the failed window again")
}

// TestRecordOfManyFindings holds that a window of very many findings is recorded
// by a number of queries that does not grow with them.
func TestRecordOfManyFindings(t *testing.T) {
	const many = 10_000
	ctx, store := t.Context(), testkit.Store(t)
	var ids []string
	for i := range many {
		ids = append(ids, fmt.Sprintf("%05d", i))
	}
	var r recorder
	before := queries(t, store) // the database may have been another test's
	if err := r.record(ctx, store, alert.NewFeed(), window(0, ids...)); err != nil {
		t.Fatal(err)
	}
	if n := queries(t, store) - before; n == 0 || n > 5+many/publishPage+1 {
		t.Errorf("%d findings took %d queries", many, n)
	}
	newest, err := store.NewestVersion(ctx)
	if err != nil || r.published != newest {
		t.Errorf("published up to version %d of %d (error %v)", r.published, newest, err)
	}
}

// queries is how many statements about findings ran in the store's database.
func queries(t *testing.T, store *storage.Store) (n uint64) {
	t.Helper()
	if err := store.Exec(t.Context(), "SYSTEM FLUSH LOGS"); err != nil {
		t.Fatal(err)
	}
	err := store.QueryRow(t.Context(), `SELECT count() FROM system.query_log
		WHERE type = 'QueryFinish' AND is_initial_query AND query_kind IN ('Select', 'Insert')
			AND has(tables, concat(currentDatabase(), '.findings'))`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
