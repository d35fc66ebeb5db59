package storage_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

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
	want := regexp.MustCompile(`^migration 0001_flows.sql was changed after it was applied to database tapwatch_test_\w+: its tables are of another tapwatch, from before a release: take a new storage.embedded.data_dir or storage.clickhouse.database \(whoever changed the migration: restore it, and put the change into a new file\)$`)
	if err == nil || !want.MatchString(err.Error()) {
		t.Errorf("Migrate with a changed table = %v, want %s", err, want)
	}
}

func TestRetention(t *testing.T) {
	s := testkit.Store(t)
	check := func(want map[string]string) {
		t.Helper()
		for table, ttl := range want {
			engine := scan[string](t, s, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = ?", table)
			if got := regexp.MustCompile(`TTL [^ ]+ \+ [^ ]+`).FindString(engine); got != ttl {
				t.Errorf("%s has %q, want %q", table, got, ttl)
			}
		}
	}
	want := map[string]string{
		"flows":                "TTL inserted_on + toIntervalDay(15)",
		"watched_flows":        "TTL inserted_on + toIntervalDay(400)",
		"conversations_minute": "TTL inserted_on + toIntervalDay(90)",
		"conversations_hour":   "TTL inserted_on + toIntervalDay(365)",
		"traffic_minute":       "TTL inserted_on + toIntervalDay(90)",
		"exporter_activity":    "TTL inserted_at + toIntervalDay(400)",
		"exporter_health":      "TTL inserted_at + toIntervalDay(90)",
		"asset_peers":          "", "zone_countries": "", "zone_asns": "", "findings": "",
	}
	check(want)
	keep := storage.DefaultRetention()
	keep.FlowsDays, keep.ExporterHealthDays = 7, 0
	want["flows"], want["exporter_health"] = "TTL inserted_on + toIntervalDay(7)", ""
	for range 2 {
		if err := s.Migrate(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		check(want)
	}
}

// A changed retention holds for what is stored already, of which only the column that
// says since when is read: nothing else is written anew.
func TestRetentionReachesStoredParts(t *testing.T) {
	s := testkit.Store(t)
	exec := func(statement string) {
		t.Helper()
		if err := s.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	// Parts of real size keep each column in files of its own.
	exec("ALTER TABLE flows MODIFY SETTING min_bytes_for_wide_part = 0")
	exec(`INSERT INTO flows (received_at, bytes, inserted_on) SELECT toDateTime64('2026-11-01 00:00:00', 3, 'UTC'), number, today() - 10 FROM numbers(1000)`)
	exec(`INSERT INTO flows (received_at, bytes, inserted_on) SELECT toDateTime64('2026-11-02 00:00:00', 3, 'UTC'), number, today() - 3 FROM numbers(1000)`)
	keep := storage.DefaultRetention()
	keep.FlowsDays = 7
	if err := s.Migrate(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "rows stored ten days ago go when seven are kept", func() bool {
		return scan[uint64](t, s, "SELECT countIf(inserted_on < today() - 7) FROM flows") == 0
	})
	if n := scan[uint64](t, s, "SELECT count() FROM flows"); n != 1000 {
		t.Errorf("%d rows are left, want the 1000 stored three days ago", n)
	}
	exec("SYSTEM FLUSH LOGS part_log")
	read := scan[uint64](t, s, "SELECT max(read_bytes) FROM system.part_log WHERE database = currentDatabase() AND table = 'flows' AND event_type = 'MutatePart'")
	if read != 2000 {
		t.Errorf("of 1000 rows %d bytes were read to learn when they come due, want the 2000 of inserted_on", read)
	}
}

// Retention counts from storing: a replay of an old capture stays, and rows stored
// long ago go.
func TestRetentionCountsFromStoring(t *testing.T) {
	s := testkit.Store(t)
	for _, statement := range []string{
		"INSERT INTO flows (received_at, bytes, inserted_on) VALUES ('2015-01-01 00:00:00', 1, today()), ('2015-01-02 00:00:00', 2, today() - 30)",
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

// ClickHouse understands what it is told, also what this engine cannot run: there is no
// Keeper for replicated tables.
func TestStatementsAreUnderstood(t *testing.T) {
	s := testkit.Store(t)
	for _, replicated := range []bool{false, true} {
		statements, err := storage.Statements("carrier", replicated)
		if err != nil {
			t.Fatal(err)
		}
		if len(statements) < 20 {
			t.Fatalf("%d statements: that cannot be all", len(statements))
		}
		for name, statement := range statements {
			rows, err := s.Query(t.Context(), "EXPLAIN AST "+statement)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A change of a table reaches the table over all nodes, columns and all.
func TestDistributedFollowsTheLocalTable(t *testing.T) {
	files := fstest.MapFS{
		"m/1.sql": {Data: []byte("CREATE TABLE IF NOT EXISTS {{.Table \"findings\"}} (id String)\nENGINE = {{.Engine \"MergeTree\"}}\nORDER BY id\nCOMMENT 'It\\'s it.'")},
		"m/2.sql": {Data: []byte("ALTER TABLE {{.Table \"findings\"}} ADD COLUMN IF NOT EXISTS more String")},
	}
	got, err := storage.StatementsOf(files, "m", "carrier")
	if err != nil {
		t.Fatal(err)
	}
	over := "CREATE OR REPLACE TABLE findings AS findings_local\nENGINE = Distributed('carrier', currentDatabase(), findings_local, cityHash64(id))\nCOMMENT 'It\\'s it.'"
	want := []string{
		"CREATE TABLE IF NOT EXISTS findings_local (id String)\nENGINE = MergeTree\nORDER BY id\nCOMMENT 'It\\'s it.'", over,
		"ALTER TABLE findings_local ADD COLUMN IF NOT EXISTS more String", over,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
	files["m/3.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE IF NOT EXISTS {{.Table \"new\"}} (id String)\nENGINE = {{.Engine \"MergeTree\"}}\nORDER BY id\nCOMMENT 'New.'")}
	if _, err := storage.StatementsOf(files, "m", "carrier"); err == nil || !strings.Contains(err.Error(), "migration 3.sql: table new has no comment, or no sharding key") {
		t.Errorf("a table without a sharding key: %v", err)
	}
}
