package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
)

type tableColumn struct {
	Name    string `ch:"name"`
	Type    string `ch:"type"`
	Comment string `ch:"comment"`
}

// The field table is the one place that says what a flow has; the migrations must
// say the same.
func TestFlowTablesHaveTheFields(t *testing.T) {
	s := testkit.Store(t)
	var want []tableColumn
	for i := range flow.Fields {
		f := &flow.Fields[i]
		want = append(want, tableColumn{f.Name, f.Type, f.Comment})
	}
	byName := func(a, b tableColumn) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(want, byName)
	for _, table := range []string{"flows", "watched_flows"} {
		var got []tableColumn
		err := s.Select(t.Context(), &got, `
			SELECT name, type, comment FROM system.columns
			WHERE database = currentDatabase() AND table = ?
				AND name NOT IN ('export_delay_ms', 'duration_ms', 'inserted_on', 'asset', 'peer')`, table)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, byName)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("columns of %s (-flow.Fields +table):\n%s", table, diff)
		}
	}
}

func TestEverythingIsCommented(t *testing.T) {
	s := testkit.Store(t)
	if n := scan[uint64](t, s, "SELECT count() FROM system.columns WHERE database = currentDatabase()"); n < 100 {
		t.Fatalf("the database has %d columns: that cannot be all", n)
	}
	var bare []struct {
		Table string `ch:"table"`
		Name  string `ch:"name"`
	}
	err := s.Select(t.Context(), &bare, `
		SELECT table, name FROM system.columns
		WHERE database = currentDatabase() AND comment = ''
			AND (database, table) IN (SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree')
		UNION ALL
		SELECT name AS table, 'the table' AS name FROM system.tables
		WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND comment = ''`)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bare {
		t.Errorf("%s.%s has no comment", b.Table, b.Name)
	}
}

// Addresses read as people write them, whatever they contain.
func TestFlowsTextShowsAddresses(t *testing.T) {
	s := testkit.Store(t)
	err := s.Exec(t.Context(), `INSERT INTO flows (exporter, src_addr, dst_addr, next_hop)
		VALUES ('::ffff:192.0.2.1', '2001:db8::ffff:1', '::ffff:abcd:1:2', '::')`)
	if err != nil {
		t.Fatal(err)
	}
	got := scan[string](t, s, "SELECT concat(exporter, ' ', src_addr, ' ', dst_addr, ' ', next_hop) FROM flows_text")
	if want := "192.0.2.1 2001:db8::ffff:1 ::ffff:abcd:1:2 ::"; got != want {
		t.Errorf("addresses %q, want %q", got, want)
	}
}
