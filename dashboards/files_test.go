package dashboards_test

import (
	"path/filepath"
	"testing"

	"tapwatch/dashboards/grafana"
)

// dashboardFiles are all dashboards: provisioning holds none.
func dashboardFiles(t *testing.T) []*grafana.Dashboard {
	t.Helper()
	var all []*grafana.Dashboard
	for _, file := range glob(t, "*/*.json") {
		d, err := grafana.ReadDashboard(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

func alertFiles(t *testing.T) []*grafana.AlertFile {
	t.Helper()
	var all []*grafana.AlertFile
	for _, file := range glob(t, "provisioning/alerting/*.yaml") {
		f, err := grafana.ReadAlerts(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file %s (%v)", pattern, err)
	}
	return files
}

// allQueries is every statement of every dashboard and alert rule.
func allQueries(t *testing.T) []grafana.Query {
	t.Helper()
	var all []grafana.Query
	for _, d := range dashboardFiles(t) {
		queries, err := d.Queries()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, queries...)
	}
	for _, f := range alertFiles(t) {
		all = append(all, f.Queries()...)
	}
	return all
}
