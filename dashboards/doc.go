// Package dashboards holds the Grafana dashboards of tapwatch, in folders named as
// Grafana shows them, and the provisioning of data source, dashboards and alert
// rules. Its tests run every query of every panel and rule on the real engine.
//
// To add a dashboard: its JSON file in a folder beside tapwatch/. The tests find it.
package dashboards
