package hunts_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"tapwatch/storage"
)

var update = flag.Bool("update", false, "write docs/sql.md anew: its answers, and what it says of tables")

const document = "../docs/sql.md"

// A question of the document is a block of SQL, and the answer the block of text below.
var question = regexp.MustCompile("(?s)```sql\n(.*?)```\n\n```text\n(.*?)```\n")

// The reference is between these lines.
const (
	referenceBegins = "<!-- From here on it is written by `go test ./hunts -run TestCampaign -update`. -->\n"
	referenceEnds   = "<!-- To here. -->\n"
)

// documented checks docs/sql.md: every query is answered, by the user that may read only,
// as the document says, and the reference says what the tables are.
func documented(t *testing.T, c *campaign, reader *storage.Store) {
	was, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	is := question.ReplaceAllStringFunc(string(was), func(block string) string {
		asked++
		sql := question.FindStringSubmatch(block)[1]
		return "```sql\n" + sql + "```\n\n```text\n" + answer(t, reader, sql) + "```\n"
	})
	if n := strings.Count(is, "```sql"); n != asked || asked < 10 {
		t.Errorf("of %d blocks of SQL %d have a block of text below; want 10 or more, and all", n, asked)
	}
	before, rest, found := strings.Cut(is, referenceBegins)
	_, after, ended := strings.Cut(rest, referenceEnds)
	if !found || !ended {
		t.Fatalf("%s has no place for the reference", document)
	}
	is = before + referenceBegins + "\n" + reference(t, c.store) + referenceEnds + after
	if is == string(was) {
		return
	}
	if *update {
		if err := os.WriteFile(document, []byte(is), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, now := strings.Split(string(was), "\n"), strings.Split(is, "\n")
	for i := range min(len(old), len(now)) {
		if old[i] != now[i] {
			t.Fatalf("%s:%d is stale, run the test with -update:\n%s\nit should be\n%s", document, i+1, old[i], now[i])
		}
	}
	t.Fatalf("%s is stale, run the test with -update", document)
}

// answer gives the rows of a query as people see them.
func answer(t *testing.T, reader *storage.Store, sql string) string {
	t.Helper()
	result, err := reader.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	columns, types := result.Columns(), result.ColumnTypes()
	result.Close()
	rows := query(t, reader, sql, nil)
	if len(rows) == 0 {
		t.Errorf("no rows:\n%s", sql)
	}
	var s strings.Builder
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(columns, "\t"))
	for _, r := range rows {
		values := make([]string, len(columns))
		for i, column := range columns {
			values[i] = strings.ReplaceAll(r[column], " +0000 UTC", "")
			if types[i].DatabaseTypeName() == "Date" {
				values[i] = strings.TrimSuffix(values[i], " 00:00:00")
			}
		}
		fmt.Fprintln(w, strings.Join(values, "\t"))
	}
	w.Flush()
	return regexp.MustCompile(`(?m) +$`).ReplaceAllString(s.String(), "")
}

// tables are those of the reference in its order, with the one whose columns they share.
var tables = []struct{ name, like string }{
	{"flows", ""}, {"watched_flows", "flows"},
	{"conversations_by_hour", ""}, {"conversations", "conversations_by_hour"},
	{"asset_peers", ""}, {"zone_countries", ""}, {"zone_asns", ""},
	{"traffic_minute", ""}, {"exporter_activity", ""}, {"exporter_health", ""},
	{"sessions", ""}, {"pair_hours", ""},
	{"alerts", "findings"}, {"findings", ""}, {"incidents", ""}, {"silences", ""}, {"approvals", ""}, {"indicators", ""},
	{"countries", ""}, {"asns", ""}, {"protocols", ""}, {"services", ""},
	{"flows_text", "flows"}, {"watched_flows_text", "watched_flows"}, {"conversations_text", "conversations"},
	{"conversations_minute", ""}, {"conversations_hour", "conversations_minute"}, {"history_hours", ""}, {"exporter_minute", ""}, {"exporter_durations", ""}, {"device_minute", ""},
	{"detect_progress", ""}, {"schema_migrations", ""},
}

// described are the views and columns that ClickHouse keeps no comment of.
var described = map[string]string{
	"alerts":             "The findings of each alert, folded into one row.",
	"flows_text":         "flows with addresses as people write them, and names. Search in flows: text uses no index.",
	"watched_flows_text": "watched_flows with addresses as people write them, and names.",
	"conversations_text": "conversations with addresses as people write them, and names.",

	"alerts.findings": "Windows in which it was found.", "alerts.raised_at": "When it was first stored.",
	"alerts.updated_at": "When it was last stored.",
	"protocol_name":     "Name of protocol, from protocols.", "service_name": "What usually listens on the service port, from services; empty unknown.",
	"src_country_name": "Name of src_country, from countries.", "dst_country_name": "Name of dst_country, from countries.",
	"peer_country_name": "Name of peer_country, from countries.",
}

type column struct {
	Name    string `ch:"name"`
	Type    string `ch:"type"`
	Comment string `ch:"comment"`
}

// reference describes every table and view.
func reference(t *testing.T, store *storage.Store) string {
	t.Helper()
	var known []column // tables and views, with their comments
	// In a cluster it is the table of each node that says what it is for.
	err := store.Select(t.Context(), &known, `
		SELECT replaceRegexpOne(t.name, '_local$', '') AS name, argMax(t.engine, t.name) AS type, argMax(t.comment, t.name) AS comment
		FROM system.tables AS t
		WHERE database = currentDatabase() AND engine != 'MaterializedView'
		GROUP BY 1 ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	columns := map[string][]column{}
	for _, table := range tables {
		i := slices.IndexFunc(known, func(k column) bool { return k.Name == table.name })
		if i < 0 {
			t.Fatalf("there is no table %s", table.name)
		}
		about := cmp.Or(known[i].Comment, described[table.name])
		kind := "Table"
		if known[i].Type == "View" {
			kind = "View"
		}
		known = slices.Delete(known, i, i+1)
		if about == "" {
			t.Errorf("%s is not described", table.name)
		}
		columns[table.name] = columnsOf(t, store, table.name)
		if table.like != "" && columns[table.like] == nil {
			columns[table.like] = columnsOf(t, store, table.like)
		}
		fmt.Fprintf(&s, "### %s\n\n%s. %s\n\n", table.name, kind, about)
		if table.like != "" {
			fmt.Fprintf(&s, "The columns of [%s](#%s)%s, and:\n\n", table.like, table.like, without(columns[table.like], columns[table.name]))
		}
		s.WriteString("| column | type | |\n|---|---|---|\n")
		for _, c := range columns[table.name] {
			like := columns[table.like]
			if k := slices.IndexFunc(like, func(l column) bool { return l.Name == c.Name }); k >= 0 {
				c.Comment = cmp.Or(c.Comment, like[k].Comment)
				if like[k] == c {
					continue
				}
			}
			c.Comment = cmp.Or(c.Comment, described[table.name+"."+c.Name], described[c.Name])
			if c.Comment == "" {
				t.Errorf("%s.%s is not described", table.name, c.Name)
			}
			fmt.Fprintf(&s, "| `%s` | %s | %s |\n", c.Name, strings.ReplaceAll(c.Type, "|", "\\|"), strings.ReplaceAll(c.Comment, "|", "\\|"))
		}
		s.WriteString("\n")
	}
	for _, k := range known {
		t.Errorf("the reference leaves out %s", k.Name)
	}
	return s.String()
}

// without names the columns that the other table has and this one has not.
func without(like, own []column) string {
	var missing []string
	for _, l := range like {
		if !slices.ContainsFunc(own, func(c column) bool { return c.Name == l.Name }) {
			missing = append(missing, "`"+l.Name+"`")
		}
	}
	if missing == nil {
		return ""
	}
	return " but " + strings.Join(missing, ", ")
}

// columnsOf gives the columns as people use them: what is added up in the background is
// a plain number to them.
func columnsOf(t *testing.T, store *storage.Store, table string) (all []column) {
	t.Helper()
	err := store.Select(t.Context(), &all, `SELECT name,
			replaceRegexpOne(replaceRegexpOne(type, '^SimpleAggregateFunction\\(\\w+, (.*)\\)$', '\\1'), '^LowCardinality\\((.*)\\)$', '\\1') AS type, comment
		FROM system.columns WHERE database = currentDatabase() AND table = ? ORDER BY position`, table)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
