package storage_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// open opens a store that logs to a buffer.
func open(t *testing.T, at storage.Endpoint) (*storage.Store, *lockedBuffer) {
	t.Helper()
	var log lockedBuffer
	s, err := storage.Open(t.Context(), at, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, &log
}

// lockTables are those by which migrations keep each other out.
const lockTables = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'migration_lock'"

// Several that start at once apply each migration once.
func TestMigrateTogether(t *testing.T) {
	at := testkit.Database(t)
	var group errgroup.Group
	var last *storage.Store
	for range 3 {
		s, _ := open(t, at)
		last = s
		group.Go(func() error { return s.Migrate(t.Context(), storage.DefaultRetention()) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	total, different := scan[uint64](t, last, "SELECT count() FROM schema_migrations"), scan[uint64](t, last, "SELECT uniqExact(name) FROM schema_migrations")
	if total != different || total < 10 {
		t.Errorf("%d migrations were applied %d times", different, total)
	}
	if n := scan[uint64](t, last, lockTables); n != 0 {
		t.Error("the lock was not given back")
	}
}

// locked makes a database whose migration lock somebody holds until release.
func locked(t *testing.T, at storage.Endpoint) (release func() error) {
	t.Helper()
	s := testkit.Open(t, at)
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	storage.SetLockTimes(s, 100*time.Millisecond, time.Minute)
	held, end := make(chan struct{}), make(chan struct{})
	result := make(chan error, 1)
	go func() {
		result <- storage.WithMigrationLock(t.Context(), s, func() {}, func(ctx context.Context) error {
			close(held)
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-end:
				return nil
			}
		})
	}()
	select {
	case <-held:
	case err := <-result:
		t.Fatal(err)
	}
	return func() error { close(end); return <-result }
}

func TestMigrateWaitsForAnother(t *testing.T) {
	at := testkit.Database(t)
	release := locked(t, at)
	s, log := open(t, at)
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Errorf("with nothing to do, Migrate waits: %v", err)
	}
	keep := storage.DefaultRetention()
	keep.FlowsDays++

	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
	defer cancel()
	err := s.Migrate(ctx, keep)
	if err == nil || !strings.Contains(err.Error(), "wait for \"Held by tapwatch on ") || !strings.Contains(err.Error(), "enough") {
		t.Errorf("Migrate while another does = %v", err)
	}
	if !strings.Contains(log.String(), "waiting: another tapwatch migrates this database") {
		t.Errorf("nothing says that it waits:\n%s", log.String())
	}

	migrated := make(chan error, 1)
	go func() { migrated <- s.Migrate(t.Context(), keep) }()
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if n := scan[uint64](t, s, lockTables); n != 0 {
		t.Error("the lock was not given back")
	}
}

// A tapwatch that was killed while it migrated keeps nobody out for good. One that only
// seemed dead stops, and leaves the lock alone, which is another's now.
func TestMigrateAfterADeath(t *testing.T) {
	at := testkit.Database(t)
	dead := testkit.Open(t, at)
	if err := dead.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	storage.SetLockTimes(dead, 100*time.Millisecond, time.Hour)
	s, log := open(t, at)
	storage.SetLockTimes(s, 100*time.Millisecond, 2*time.Second)

	inherited, held, taken, end := make(chan error, 1), make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		<-held
		inherited <- storage.WithMigrationLock(t.Context(), s, func() { close(taken) }, func(context.Context) error {
			<-end
			return nil
		})
	}()
	err := storage.WithMigrationLock(t.Context(), dead, func() { close(held); <-taken }, func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "the migration lock was lost") {
		t.Errorf("who seemed dead ends with %v", err)
	}
	if !strings.Contains(log.String(), "whoever migrated this database has died") {
		t.Errorf("nothing says that the lock was taken over:\n%s", log.String())
	}
	if n := scan[uint64](t, s, lockTables); n != 1 {
		t.Error("who seemed dead has given back the lock of another")
	}
	close(end)
	if err := <-inherited; err != nil {
		t.Error(err)
	}
	if n := scan[uint64](t, s, lockTables); n != 0 {
		t.Error("the lock was not given back")
	}
}
