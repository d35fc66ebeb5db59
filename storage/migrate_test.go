package storage_test

import (
	"regexp"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

func TestMigrateTwiceChangesNothing(t *testing.T) {
	s := testkit.Store(t)
	const state = `SELECT toString(groupArray((name, create_table_query)))
		FROM (SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name)`
	before, recorded := scan[string](t, s, state), scan[uint64](t, s, "SELECT count() FROM schema_migrations")
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	if after := scan[string](t, s, state); after != before {
		t.Errorf("tables after a second Migrate:\n%s\nbefore:\n%s", after, before)
	}
	if n := scan[uint64](t, s, "SELECT count() FROM schema_migrations"); n != recorded || n < 10 {
		t.Errorf("%d migrations are recorded after a second Migrate, %d before", n, recorded)
	}
}

func TestMigrateRefusesAChangedMigration(t *testing.T) {
	s := testkit.Store(t)
	forge := func(name string) {
		err := s.Exec(t.Context(), "INSERT INTO schema_migrations VALUES (?, 'another', now64(3) + 1)", name)
		if err != nil {
			t.Fatal(err)
		}
	}
	forge("0008_alerts.sql")
	if err := s.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Errorf("a changed view is an error: %v", err)
	}
	forge("0001_flows.sql")
	err := s.Migrate(t.Context(), storage.DefaultRetention())
	want := regexp.MustCompile(`^migration 0001_flows.sql was changed after it was applied to database tapwatch_test_\w+: restore it, and put the change into a new file$`)
	if err == nil || !want.MatchString(err.Error()) {
		t.Errorf("Migrate with a changed table = %v, want %s", err, want)
	}
}

func TestRetention(t *testing.T) {
	s := testkit.Store(t)
	ttl := func(table string) string {
		engine := scan[string](t, s, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = ?", table)
		return regexp.MustCompile(`TTL [^ ]+ \+ [^ ]+`).FindString(engine)
	}
	check := func(table, want string) {
		t.Helper()
		if got := ttl(table); got != want {
			t.Errorf("%s has %q, want %q", table, got, want)
		}
	}
	check("flows", "TTL inserted_at + toIntervalDay(15)")
	check("watched_flows", "TTL inserted_at + toIntervalDay(400)")
	check("exporter_activity", "TTL inserted_at + toIntervalDay(400)")
	check("exporter_health", "TTL inserted_at + toIntervalDay(90)")

	keep := storage.DefaultRetention()
	keep.FlowsDays, keep.ExporterHealthDays = 7, 0
	for range 2 {
		if err := s.Migrate(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		check("flows", "TTL inserted_at + toIntervalDay(7)")
		check("exporter_health", "")
	}
	if n := scan[uint64](t, s, "SELECT count() FROM system.mutations WHERE database = currentDatabase()"); n != 0 {
		t.Errorf("a changed retention rewrites parts: %d mutations", n)
	}
}

// Retention counts from storing: a replay of an old capture stays, and rows stored
// long ago go.
func TestRetentionCountsFromStoring(t *testing.T) {
	s := testkit.Store(t)
	for _, statement := range []string{
		"INSERT INTO flows (received_at, bytes, inserted_at) VALUES ('2015-01-01 00:00:00', 1, now()), ('2015-01-02 00:00:00', 2, now() - INTERVAL 30 DAY)",
		"OPTIMIZE TABLE flows FINAL",
		"OPTIMIZE TABLE exporter_activity FINAL",
	} {
		if err := s.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if sum := scan[uint64](t, s, "SELECT sum(bytes) FROM flows"); sum != 1 {
		t.Errorf("sum(bytes) = %d after merging, want 1: the old capture's row alone", sum)
	}
	if n := scan[uint64](t, s, "SELECT sum(flows) FROM exporter_activity"); n != 2 {
		t.Errorf("exporter_activity counts %d flows after merging, want 2", n)
	}
}
