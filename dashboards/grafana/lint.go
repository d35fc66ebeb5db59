package grafana

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Linter knows what dashboards and alert rules may refer to.
type Linter struct {
	// Datasource is the uid of the data source that every query uses.
	Datasource string
	// Dashboards are the uids that links may lead to.
	Dashboards []string
	// TimedTables are the tables that no query may read without a time filter.
	TimedTables []string
}

// Dashboard returns what is wrong with d, a line for each mistake.
func (l Linter) Dashboard(d *Dashboard) []string {
	var all problems
	all.add(d.UID == "", "no uid")
	all.add(d.Title == "" || d.Description == "", "no title or no description")
	all.add(d.SchemaVersion != 42, "schemaVersion is %d, not 42", d.SchemaVersion)
	all.add(d.Editable, "is editable")
	seen := map[int]string{}
	for _, p := range append(rows(d), d.All()...) {
		all.add(seen[p.ID] != "", "panels %q and %q share the id %d", seen[p.ID], p.Title, p.ID)
		seen[p.ID] = p.Title
	}
	for _, p := range d.All() {
		l.panel(&all, p)
	}
	all = append(all, overlaps(d.Panels)...)
	for _, p := range d.Panels {
		all = append(all, overlaps(p.Panels)...)
	}
	queries, err := d.Queries()
	all.add(err != nil, "%v", err)
	for _, q := range queries {
		l.query(&all, q)
	}
	for _, a := range d.Annotations.List {
		all.add(a.BuiltIn == 0 && a.Datasource.UID != l.Datasource, "annotation %q has data source %q", a.Name, a.Datasource.UID)
	}
	l.variables(&all, d)
	l.links(&all, d)
	return all
}

// Alerts returns what is wrong with the rules of f.
func (l Linter) Alerts(f *AlertFile) []string {
	var all problems
	seen := map[string]bool{}
	for _, r := range f.Rules() {
		all.add(r.UID == "" || seen[r.UID], "rule %q: no uid of its own", r.Title)
		seen[r.UID] = true
		all.add(r.Title == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "", "rule %q: no title, summary or description", r.Title)
		all.add(r.Labels["severity"] == "", "rule %q: no label severity", r.Title)
		all.add(r.NoDataState == "" || r.ExecErrState == "", "rule %q: does not say what no data and errors mean", r.Title)
		condition := false
		for _, d := range r.Data {
			condition = condition || d.RefID == r.Condition
			uid := d.DatasourceUID
			all.add(uid != l.Datasource && uid != ExpressionUID, "rule %q: data source %q", r.Title, uid)
			all.add(d.Model.RefID != d.RefID, "rule %q: refId %q and %q", r.Title, d.RefID, d.Model.RefID)
		}
		all.add(!condition, "rule %q: condition %q is no query or expression of it", r.Title, r.Condition)
		panel := r.Annotations["__dashboardUid__"]
		all.add(panel != "" && !slices.Contains(l.Dashboards, panel), "rule %q: dashboard %q does not exist", r.Title, panel)
	}
	for _, q := range f.Queries() {
		l.query(&all, q)
		all.add(strings.Contains(q.SQL, "${") || strings.Contains(q.SQL, "$__conditionalAll"), "%s: alert rules have no variables", q.Name)
		all.add(q.Range <= 0, "%s: no relativeTimeRange", q.Name)
	}
	return all
}

type problems []string

func (p *problems) add(wrong bool, format string, args ...any) {
	if wrong {
		*p = append(*p, fmt.Sprintf(format, args...))
	}
}

func rows(d *Dashboard) []*Panel {
	var all []*Panel
	for i := range d.Panels {
		if d.Panels[i].Type == "row" {
			all = append(all, &d.Panels[i])
		}
	}
	return all
}

// units are the units in use; a new one is added here after a look at Grafana's
// list, because Grafana shows a misspelt one as a suffix.
var units = []string{"none", "short", "bps", "bytes", "cps", "pps", "s", "ms", "percentunit", "dateTimeAsIso"}

func (l Linter) panel(all *problems, p *Panel) {
	all.add(p.Title == "" || p.Description == "", "panel %d %q: no title or no description", p.ID, p.Title)
	unit := p.FieldConfig.Defaults.Unit
	all.add(!slices.Contains(units, unit), "panel %q: unit %q", p.Title, unit)
	for _, o := range p.FieldConfig.Overrides {
		for _, v := range o.Properties {
			var unit string
			if v.ID == "unit" && (json.Unmarshal(v.Value, &unit) != nil || !slices.Contains(units, unit)) {
				all.add(true, "panel %q: unit %s", p.Title, v.Value)
			}
		}
	}
	all.add(len(p.Targets) == 0, "panel %q: no query", p.Title)
	all.add(p.Datasource.UID != l.Datasource, "panel %q: data source %q", p.Title, p.Datasource.UID)
	refs := map[string]bool{}
	for _, t := range p.Targets {
		all.add(t.Datasource.UID != l.Datasource, "panel %q: query %s has data source %q", p.Title, t.RefID, t.Datasource.UID)
		all.add(t.EditorType != "sql", "panel %q: query %s has editorType %q", p.Title, t.RefID, t.EditorType)
		all.add(refs[t.RefID], "panel %q: two queries %s", p.Title, t.RefID)
		refs[t.RefID] = true
	}
	all.add(strings.Contains(string(p.Options), "http"), "panel %q: its options name another host", p.Title)
}

// overlaps checks panels that share a grid.
func overlaps(panels []Panel) []string {
	var all problems
	for i, p := range panels {
		a := p.GridPos
		all.add(a.W < 1 || a.H < 1 || a.X < 0 || a.X+a.W > 24, "panel %q: does not fit the grid", p.Title)
		for _, q := range panels[:i] {
			b := q.GridPos
			all.add(a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H, "panels %q and %q overlap", q.Title, p.Title)
		}
	}
	return all
}

var (
	limit      = regexp.MustCompile(`\bLIMIT \d+\s*$`)
	timeFilter = regexp.MustCompile(`\$__timeFilter(_ms)?\(|>= [\w$(]*\$__fromTime`)
	joined     = regexp.MustCompile(`(?i)\bOR\b`)
	// Joins with arrays and with subqueries are not sent to the nodes of a cluster.
	global  = regexp.MustCompile(`\bGLOBAL IN \(|\bGLOBAL [A-Z ]*JOIN |\bARRAY JOIN\b|\bCROSS JOIN \(`)
	alone   = regexp.MustCompile(`\bIN \(\s*SELECT\b|\bJOIN\b`)
	ordered = regexp.MustCompile(`\bORDER BY time\b[\w, ]*$`)
)

func (l Linter) query(all *problems, q Query) {
	reads := 0
	for _, t := range l.TimedTables {
		reads += len(regexp.MustCompile(`\b(FROM|JOIN) `+t+`\b`).FindAllString(q.SQL, -1))
	}
	filters := len(timeFilter.FindAllString(q.SQL, -1))
	all.add(reads > filters, "%s: reads %d tables with %d time filters", q.Name, reads, filters)
	all.add(alone.MatchString(global.ReplaceAllString(q.SQL, "")), "%s: IN (SELECT …) or JOIN without GLOBAL, which a cluster's tables need", q.Name)
	for _, c := range conditions(q.SQL) {
		all.add(joined.MatchString(withoutParentheses(c)), "%s: $__conditionalAll puts %q into the statement without parentheses", q.Name, c)
	}
	all.add(q.Format != FormatTimeSeries && q.Format != FormatTable, "%s: format %d", q.Name, q.Format)
	all.add(q.Format == FormatTable && !limit.MatchString(q.SQL), "%s: a table without a LIMIT at its end", q.Name)
	all.add(q.Format == FormatTimeSeries && !ordered.MatchString(q.SQL), "%s: a time series without ORDER BY time at its end", q.Name)
}
