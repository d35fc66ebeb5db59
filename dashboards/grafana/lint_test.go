package grafana

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var rules = Linter{Datasource: "tapwatch", Dashboards: []string{"good"}, TimedTables: []string{"flows", "alerts"}}

// changed is a file of testdata with one text replaced, once.
func changed(t *testing.T, name, old, new string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	return []byte(strings.Replace(string(data), old, new, 1))
}

func TestLintDashboard(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{`"uid": "good", `, "", "no uid"},
		{"Breaks no rule.", "", "no description"},
		{`"schemaVersion": 42`, `"schemaVersion": 39`, "schemaVersion is 39"},
		{`"editable": false`, `"editable": true`, "editable"},
		{`"id": 3`, `"id": 1`, "share the id 1"},
		{`"How much."`, `""`, "no description"},
		{`"bps"`, `"bqs"`, `unit "bqs"`},
		{`"value": "s"`, `"value": "sec"`, `unit "sec"`},
		{`"x": 0, "y": 8`, `"x": 0, "y": 7`, "overlap"},
		{`"w": 12`, `"w": 25`, "does not fit"},
		{`"datasource": {"uid": "tapwatch"}, "fieldConfig"`, `"datasource": {"uid": "x"}, "fieldConfig"`, `data source "x"`},
		{`"editorType": "sql", "format": 0`, `"editorType": "builder", "format": 0`, `editorType "builder"`},
		{"FROM flows WHERE $__timeFilter(at) AND", "FROM flows WHERE", "1 tables with 0 time filters"},
		{" LIMIT 9", "", "without a LIMIT"},
		{" ORDER BY time", "", "without ORDER BY time"},
		{`"interval": "1m"`, `"interval": "1 minute"`, "interval of panel"},
		{"${zone:singlequote}", "${zine:singlequote}", "variable zine is not defined"},
		{"$__conditionalAll(zone IN (${zone:singlequote}), $zone)", "1", "variable zone is never used"},
		{"$__conditionalAll(zone IN (${zone:singlequote}), $zone)", "$__conditionalAll(zone IN (${zone:singlequote}) OR 1, $zone)", "without parentheses"},
		{"$__conditionalAll(zone IN (${zone:singlequote}), $zone)", "$__conditionalAll((zone IN (${zone:singlequote}) OR 1), $zone)", ""},
		{"AND $__conditionalAll(", "AND zone IN (SELECT zone FROM zones) AND $__conditionalAll(", "without GLOBAL"},
		{"AND $__conditionalAll(", "AND zone GLOBAL IN (SELECT zone FROM zones) AND $__conditionalAll(", ""},
		{"FROM flows WHERE $__timeFilter(at) AND", "FROM flows ANY LEFT JOIN asns USING asn WHERE $__timeFilter(at) AND", "without GLOBAL"},
		{"FROM flows WHERE $__timeFilter(at) AND", "FROM flows GLOBAL ANY LEFT JOIN asns USING asn WHERE $__timeFilter(at) AND", ""},
		{`"label": "Zone"`, `"label": ""`, "variable zone: no label"},
		{"var-zone=", "var-zine=", "sets variable zine"},
		{"/d/good/", "/d/bad/", "dashboard bad, which does not exist"},
	} {
		d, err := ParseDashboard("good.json", changed(t, "good.json", c.old, c.new))
		if err != nil {
			t.Fatal(err)
		}
		checkProblems(t, c.old+" -> "+c.new, rules.Dashboard(d), c.want)
	}
}

func TestLintAlerts(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{"uid: no-flows", "", "no uid"},
		{"description: d, ", "", "description"},
		{"severity: critical", "", "no label severity"},
		{"noDataState: Alerting", "", "what no data"},
		{"condition: C", "condition: B", `condition "B"`},
		{"datasourceUid: tapwatch", "datasourceUid: x", `data source "x"`},
		{"model: {refId: A", "model: {refId: B", `refId "A" and "B"`},
		{"__dashboardUid__: good", "__dashboardUid__: bad", `dashboard "bad"`},
		{"count()", "'${zone:singlequote}'", "no variables"},
		{"{from: 300, to: 60}", "{from: 0, to: 0}", "no relativeTimeRange"},
		{" WHERE $__timeFilter(at)", "", "0 time filters"},
	} {
		file := filepath.Join(t.TempDir(), "good.yaml")
		if err := os.WriteFile(file, changed(t, "good.yaml", c.old, c.new), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := ReadAlerts(file)
		if err != nil {
			t.Fatal(err)
		}
		checkProblems(t, c.old+" -> "+c.new, rules.Alerts(f), c.want)
	}
}

// checkProblems wants one that contains the text, or none where it is empty.
func checkProblems(t *testing.T, what string, got []string, want string) {
	t.Helper()
	all := strings.Join(got, "\n")
	if want == "" && all != "" || !strings.Contains(all, want) {
		t.Errorf("%s: problems are %q, want one with %q", what, got, want)
	}
}

func TestQueriesOfFiles(t *testing.T) {
	d, err := ReadDashboard("testdata/good.json")
	if err != nil {
		t.Fatal(err)
	}
	queries, err := d.Queries()
	if err != nil {
		t.Fatal(err)
	}
	f, err := ReadAlerts("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Name   string
		Use    Use
		Format int
		Min    time.Duration
		Range  time.Duration
	}
	var got []seen
	for _, q := range append(queries, f.Queries()...) {
		if q.SQL == "" || (q.Panel != nil) != (q.Use == ForPanel) {
			t.Errorf("%s: SQL %q, panel %v", q.Name, q.SQL, q.Panel)
		}
		got = append(got, seen{q.Name, q.Use, q.Format, q.MinInterval, q.Range})
	}
	want := []seen{
		{"good.json/Traffic/A", ForPanel, FormatTimeSeries, time.Minute, 0},
		{"good.json/Top/A", ForPanel, FormatTable, time.Second, 0},
		{"good.json/annotation Alerts", ForAnnotation, FormatTable, time.Second, 0},
		{"good.json/variable zone", ForVariable, FormatTable, time.Second, 0},
		{"good.yaml/No flows/A", ForAlert, FormatTable, time.Second, 4 * time.Minute},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
}
