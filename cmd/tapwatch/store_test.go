package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapwatch/storage/embedded"
)

// withEngine makes the library findable from a test's own directory, and gives the
// path of a fixture.
func withEngine(t *testing.T, fixture string) string {
	t.Helper()
	library, err := embedded.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(embedded.LibraryEnv, library)
	path, err := filepath.Abs(filepath.Join("../../test/fixtures", fixture))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReplayAndAsk is what an engineer does with a capture and no configuration:
// each command starts the engine, does its work and ends it.
func TestReplayAndAsk(t *testing.T) {
	capture := withEngine(t, "softflowd-netflow9.pcap")
	r := tapwatch(t, nil, "replay", capture)
	if r.code != exitGood || !strings.Contains(r.out, "72 flow records and ") {
		t.Fatalf("replay: %+v", r)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	queries, mistake := filepath.Join(t.TempDir(), "queries.sql"), filepath.Join(t.TempDir(), "mistake.sql")
	for file, text := range map[string]string{
		queries: "-- two; queries\nSELECT 1 AS a;\nSELECT 2 AS b", mistake: "SELECT 1;\n-- a comment\nSELECT 2,     bites FROM flows; SELECT 3;\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"table", []string{"sql", "SELECT count() AS flows, sum(bytes) AS bytes FROM flows"}, exitGood, "flows  bytes\n72     115395\n"},
		{"csv", []string{"sql", "--format", "csv", "SELECT count() AS flows FROM flows"}, exitGood, "flows\n72\n"},
		{"json", []string{"sql", "--format", "json", "SELECT count() AS flows, toIPv6('192.0.2.1') AS a FROM flows;"}, exitGood, `{"flows":72,"a":"192.0.2.1"}` + "\n"},
		{"no rows", []string{"sql", "SELECT title FROM alerts"}, exitGood, "title\n"},
		{"several", []string{"sql", "SELECT 1 AS a; SELECT ';' AS b -- ;"}, exitGood, "a\n1\n\nb\n;\n"},
		{"no number", []string{"sql", "--format", "json", "SELECT 0/0 AS a"}, exitGood, `{"a":null}` + "\n"},
		{"its own format", []string{"sql", "SELECT count() AS flows FROM flows FORMAT JSONEachRow"}, exitGood, `{"flows":72}` + "\n"},
		{"a file", []string{"sql", "-f", queries}, exitGood, "a\n1\n\nb\n2\n"},
		{"a mistake in a file", []string{"sql", "-f", mistake}, exitFailed, "tapwatch: line 3, column 15: there is no column bites. Maybe you meant: bytes\n  SELECT 2,     bites FROM flows; SELECT 3;\n                ^\n"},
		{"read-only", []string{"sql", "TRUNCATE TABLE flows"}, exitFailed, "tapwatch: refused, for the session is read-only"},
		{"a mistake in the query", []string{"sql", "SELECT nothing_such FROM flows"}, exitFailed, "line 1, column 8: there is no column nothing_such"},
		{"a hunt", []string{"hunt", "run", "top-talkers", "--format", "csv"}, exitGood, ","},
		{"a hunt with parameters", []string{"hunt", "run", "asset-peers", "-p", "asset=it's", "-p", "since=7d"}, exitGood, "peer"},
		{"doctor", []string{"doctor"}, exitGood, "No exporter has sent anything in the last day"},
		{"migrate", []string{"migrate"}, exitGood, "the tables are up to date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := tapwatchIn(t, dir, c.args...)
			if r.code != c.code || !strings.Contains(r.out+r.err, c.want) {
				t.Errorf("exit code %d\nstandard output:\n%s\nstandard error:\n%s\nwant exit code %d and %q", r.code, r.out, r.err, c.code, c.want)
			}
		})
	}
}

func TestSQLWhereNothingIsStored(t *testing.T) {
	r := tapwatch(t, nil, "sql", "SELECT 1")
	if r.code != exitFailed || !strings.Contains(r.err, "--config") {
		t.Errorf("exit code %d, standard error:\n%s", r.code, r.err)
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("a data directory was made")
	}
}
