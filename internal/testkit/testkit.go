// Package testkit gives tests a real ClickHouse: the embedded engine, started once
// for a test binary when the first test asks for it.
//
// A test package has
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
// and its tests call Store.
package testkit

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// patience bounds what a test waits for: a loaded machine is slow.
const patience = 2 * time.Minute

// Main runs the tests of a package and stops the engine afterwards, whether they
// passed or not. It does not return.
func Main(m *testing.M) {
	embedded.Main()
	code := m.Run()
	if err := errors.Join(shared.stop(), nodes.stop()); err != nil {
		slog.Error("stop the test engines", "error", err)
		code = 1
	}
	os.Exit(code)
}

// Engine is the test binary's engine, started now if it is not running yet. The
// test fails, saying how to mend it, where the engine cannot start.
func Engine(t testing.TB) *embedded.Engine {
	t.Helper()
	engine, err := shared.get()
	if err != nil {
		t.Fatalf("tests need the embedded ClickHouse: %v", err)
	}
	return engine
}

// Database is a database of the test's own, which does not exist yet and is dropped
// when the test ends, for the user that may do everything.
func Database(t testing.TB) storage.Endpoint {
	t.Helper()
	if clustered() {
		return Cluster(t).Database(t)
	}
	return fresh(t, Engine(t).Writer())
}

// fresh is the endpoint with a database of the test's own.
func fresh(t testing.TB, endpoint storage.Endpoint) storage.Endpoint {
	endpoint.Database = newName()
	t.Cleanup(func() {
		s := Open(t, endpoint)
		if err := s.Drop(context.Background()); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return endpoint
}

func newName() string { return "tapwatch_test_" + strings.ToLower(rand.Text()[:12]) }

// Store is an open store on an empty migrated database, which is the test's own until
// the test ends.
func Store(t testing.TB) *storage.Store {
	t.Helper()
	if clustered() {
		return migrated(t, Database(t))
	}
	return used.borrow(t, Engine(t).Writer())
}

func migrated(t testing.TB, endpoint storage.Endpoint) *storage.Store {
	t.Helper()
	s := Open(t, endpoint)
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Reader is the database of s for the user that may read only.
func Reader(t testing.TB, s *storage.Store) *storage.Store {
	t.Helper()
	if clustered() {
		return Open(t, Cluster(t).ReaderEndpoint(s))
	}
	endpoint := Engine(t).Reader()
	endpoint.Database = s.Database()
	return Open(t, endpoint)
}

// Writer is a writer into s, without a spool, that does not run yet.
func Writer(t testing.TB, s *storage.Store) *storage.Writer {
	t.Helper()
	cfg := storage.DefaultConfig()
	cfg.Name, cfg.Spool.MaxBytes = "test", 0
	if s.Shards() > 1 {
		cfg.Cluster = ClusterName
	}
	w, err := storage.NewWriter(cfg, Logger(t), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	w.Attach(s)
	return w
}

// Open opens a store and closes it when the test ends.
func Open(t testing.TB, endpoint storage.Endpoint) *storage.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := storage.Open(ctx, endpoint, Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Logger writes to the test's log.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Eventually waits until condition holds; what says in a failure what did not come
// true.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("%s: not so after %s", what, patience)
		case <-poll.C:
		}
	}
}
