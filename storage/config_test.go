package storage

import (
	"strings"
	"testing"

	"tapwatch/internal/config"
)

func TestConfig(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"nothing", "{}", ""},
		{"an external server", "clickhouse: {addresses: ['ch-1:9000', '[::1]:9000'], secure: true}", ""},
		{"an address without port", "clickhouse: {addresses: [ch-1]}", `clickhouse.addresses[0]: "ch-1" is not host:port`},
		{"a cluster", "{clickhouse: {addresses: ['ch-1:9000']}, cluster: carrier, replicated: true}", ""},
		{"a cluster of nothing", "cluster: carrier", "cluster: needs servers: clickhouse.addresses is empty"},
		{"replicas without a cluster", "replicated: true", "replicated: needs a cluster: cluster is empty"},
		{"no database", "clickhouse: {database: ''}", "clickhouse.database: is empty"},
		{"no user", "clickhouse: {username: ''}", "clickhouse.username: is empty"},
		{"no records", "batch: {records: 0}", "batch.records: 0 is below 1"},
		{"no interval", "batch: {interval: 0s}", "batch.interval: 0s is not above 0"},
		{"a queue below a batch", "batch: {records: 10, queue_records: 9}", "batch.queue_records: 9 is below records, 10"},
		{"negative days", "retention: {flows_days: -1}", "retention.flows_days: -1 is below 0"},
		{"negative days of a rollup", "retention: {traffic_minute_days: -1}", "retention.traffic_minute_days: -1 is below 0"},
		{"an unknown partition", "partition: week", `partition: "week" is neither day nor hour`},
		{"unknown key", "retention: {flow_days: 1}", `unknown field "flow_days"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			err := config.Decode("f.yaml", []byte(c.yaml), &cfg)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestReaderEndpoint(t *testing.T) {
	c := ClickHouse{Addresses: []string{"a:1"}, Database: "d", Username: "w", Password: "p"}
	if e := c.ReaderEndpoint(); e.Username != "w" || e.Password != "p" || e.Database != "d" {
		t.Errorf("reader without a name of its own: %+v", e)
	}
	c.ReaderUsername, c.ReaderPassword = "r", "q"
	if e := c.ReaderEndpoint(); e.Username != "r" || e.Password != "q" || e.Addresses[0] != "a:1" {
		t.Errorf("reader: %+v", e)
	}
	if e := c.WriterEndpoint(); e.Username != "w" {
		t.Errorf("writer: %+v", e)
	}
	whole := Config{ClickHouse: c, Cluster: "carrier", Replicated: true}
	if e := whole.WriterEndpoint(); e.Username != "w" || e.Cluster != "carrier" || !e.Replicated {
		t.Errorf("writer of a cluster: %+v", e)
	}
}
