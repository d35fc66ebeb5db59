package grafana

import (
	"regexp"
	"slices"
	"strings"
)

// builtin says whether a name in ${…} is one that Grafana itself defines.
func builtin(name string) bool { return strings.HasPrefix(name, "__") }

var (
	anyVariable   = regexp.MustCompile(`\$\{(\w+)[^}]*\}|\$(\w+)`)
	dashboardLink = regexp.MustCompile(`/d/([^/?"]+)`)
	linkVariable  = regexp.MustCompile(`[?&]var-(\w+)=`)
)

// variables checks that every variable that the dashboard mentions exists, and
// that every one that exists is used somewhere, and explained.
func (l Linter) variables(all *problems, d *Dashboard) {
	used := map[string]bool{}
	for _, m := range anyVariable.FindAllStringSubmatch(string(d.raw), -1) {
		used[m[1]+m[2]] = true
	}
	defined := map[string]bool{}
	for _, v := range d.Templating.List {
		all.add(defined[v.Name], "two variables %s", v.Name)
		defined[v.Name] = true
		all.add(!used[v.Name], "variable %s is never used", v.Name)
		all.add(v.Label == "" || v.Description == "", "variable %s: no label or no description", v.Name)
		all.add(v.Type == "query" && v.Datasource.UID != l.Datasource, "variable %s: data source %q", v.Name, v.Datasource.UID)
	}
	for name := range used {
		all.add(!defined[name] && !builtin(name), "variable %s is not defined", name)
	}
	for _, m := range linkVariable.FindAllStringSubmatch(string(d.raw), -1) {
		all.add(!defined[m[1]], "a link sets variable %s, which is not defined", m[1])
	}
}

// links checks that links to dashboards lead somewhere.
func (l Linter) links(all *problems, d *Dashboard) {
	for _, m := range dashboardLink.FindAllStringSubmatch(string(d.raw), -1) {
		all.add(!slices.Contains(l.Dashboards, m[1]), "a link leads to dashboard %s, which does not exist", m[1])
	}
}
