// Package grafana reads Grafana dashboards and alert rules as files, and does to
// their SQL what Grafana and its plugin grafana-clickhouse-datasource 4.20 do
// before ClickHouse sees it. With it a test runs every query of every panel
// without Grafana.
//
// It knows classic dashboards (schemaVersion 42) and provisioning files, and of
// the plugin the macros in its documentation except ad hoc filters. What it does
// not know is an error, never a guess.
package grafana
