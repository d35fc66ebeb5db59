package dashboards_test

import (
	"testing"

	"tapwatch/dashboards/grafana"
)

func linter(t *testing.T) grafana.Linter {
	l := grafana.Linter{
		Datasource:  "tapwatch",
		TimedTables: []string{"flows", "watched_flows", "traffic_minute", "conversations_minute", "conversations_hour", "exporter_activity", "exporter_health", "findings", "alerts"},
	}
	for _, d := range dashboardFiles(t) {
		l.Dashboards = append(l.Dashboards, d.UID)
	}
	return l
}

func TestDashboardsFollowTheRules(t *testing.T) {
	l := linter(t)
	seen := map[string]string{}
	for _, d := range dashboardFiles(t) {
		for _, problem := range l.Dashboard(d) {
			t.Errorf("%s: %s", d.File, problem)
		}
		if other := seen[d.UID]; other != "" {
			t.Errorf("%s and %s share the uid %s", other, d.File, d.UID)
		}
		seen[d.UID] = d.File
	}
}

func TestAlertRulesFollowTheRules(t *testing.T) {
	l := linter(t)
	for _, f := range alertFiles(t) {
		for _, problem := range l.Alerts(f) {
			t.Errorf("%s: %s", f.File, problem)
		}
	}
}
