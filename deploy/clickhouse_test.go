package deploy_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/storage"
)

// TestClickHouseUsers does as each user of compose's ClickHouse what it must be able
// to do, and what it must not.
func TestClickHouseUsers(t *testing.T) {
	address := startEngine(t, "CLICKHOUSE_WRITER_PASSWORD=w", "CLICKHOUSE_HUNTER_PASSWORD=h", "CLICKHOUSE_GRAFANA_PASSWORD=g")
	open := func(user, password string) *storage.Store {
		s, err := storage.Open(t.Context(), storage.Endpoint{
			Addresses: []string{address}, Database: "tapwatch", Username: user, Password: password,
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	writer := open("tapwatch", "w")
	if err := writer.Migrate(t.Context(), storage.DefaultRetention()); err != nil {
		t.Fatalf("the writer cannot migrate: %v", err)
	}
	const denied = "Not enough privileges"
	hunter, grafana := open("hunter", "h"), open("grafana", "g")

	for _, c := range []struct {
		name     string
		user     *storage.Store
		sql      string
		settings clickhouse.Settings
		refused  string // what the error says; empty: it works
	}{
		{"writer inserts", writer, "INSERT INTO flows (bytes) VALUES (1)", nil, ""},
		{"writer stays in its database", writer, "CREATE TABLE default.t (a Int8) ENGINE = Memory", nil, denied},
		{"hunter selects", hunter, "SELECT count() FROM flows", clickhouse.Settings{"max_threads": 1}, ""},
		{"hunter reads names", hunter, "SELECT src_country_name, protocol_name, service_name FROM flows_text LEFT JOIN countries ON code = src_country", nil, ""},
		{"grafana reads names", grafana, "SELECT peer_country_name, organisation FROM conversations_text LEFT JOIN asns ON asn = peer_asn", nil, ""},
		{"hunter inserts", hunter, "INSERT INTO flows (bytes) VALUES (1)", nil, denied},
		{"hunter reads other databases", hunter, "SELECT count() FROM system.parts", nil, denied},
		{"hunter takes an hour", hunter, "SELECT 1", clickhouse.Settings{"max_execution_time": 3600}, "max_execution_time"},
		{"grafana selects", grafana, "SELECT count() FROM alerts", nil, ""},
		{"grafana sets its time limit", grafana, "SELECT 1", clickhouse.Settings{"max_execution_time": 45}, ""},
		{"grafana lifts its time limit", grafana, "SELECT 1", clickhouse.Settings{"max_execution_time": 61}, "max_execution_time"},
		{"grafana sets another limit", grafana, "SELECT 1", clickhouse.Settings{"max_memory_usage": 0}, "readonly"},
		{"grafana inserts", grafana, "INSERT INTO flows (bytes) VALUES (1)", nil, denied},
		{"grafana drops", grafana, "DROP TABLE flows", nil, denied},
		{"grafana reads users", grafana, "SELECT name FROM system.users", nil, denied},
		{"grafana reads a file", grafana, "SELECT * FROM file('/etc/passwd', LineAsString)", nil, denied},
		{"grafana fetches a page", grafana, "SELECT * FROM url('http://127.0.0.1/', LineAsString)", nil, denied},
	} {
		err := c.user.Exec(clickhouse.Context(t.Context(), clickhouse.WithSettings(c.settings)), c.sql)
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.refused)
		}
	}
}

func TestClickHouseHasNoOtherUser(t *testing.T) {
	file := readFile(t, "clickhouse/users.d/tapwatch.xml")
	if !strings.Contains(file, `<default remove="1"/>`) {
		t.Error("the user default stays, without a password")
	}
	if n := strings.Count(file, "<password from_env="); n != 3 || strings.Contains(file, "no_password") {
		t.Errorf("%d passwords come from the environment, want 3 and none empty", n)
	}
}
