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
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"table", []string{"sql", "SELECT count() AS flows, sum(bytes) AS bytes FROM flows"}, exitGood, "flows  bytes\n72     115395\n"},
		{"csv", []string{"sql", "-f", "csv", "SELECT count() AS flows FROM flows"}, exitGood, "flows\n72\n"},
		{"json", []string{"sql", "-f", "json", "SELECT count() AS flows, toIPv6('192.0.2.1') AS a FROM flows;"}, exitGood, `{"flows":72,"a":"192.0.2.1"}` + "\n"},
		{"no rows", []string{"sql", "SELECT title FROM alerts"}, exitGood, "title\n"},
		{"read-only", []string{"sql", "TRUNCATE TABLE flows"}, exitFailed, "Not enough privileges"},
		{"a mistake in the query", []string{"sql", "SELECT nothing_such FROM flows"}, exitFailed, "nothing_such"},
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
