package cluster

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/flow"
	"tapwatch/internal/testkit"
)

// What tapwatch stores through the tables over all nodes is there once, on the shard of
// its key, however often it is stored.
func TestStoredOnceThroughTheCluster(t *testing.T) {
	nodes := testkit.Cluster(t)
	s := nodes.Store(t)
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var health []flow.Health
	var findings []alert.Finding
	for i := range 20 {
		health = append(health, flow.Health{At: at, Collector: "c", Exporter: netip.AddrFrom4([4]byte{10, 30, 0, byte(i)}), Records: 1, LastReceivedAt: at})
		findings = append(findings, alert.Finding{ID: fmt.Sprint("f", i), Detector: "policy", Severity: 1, WindowStart: at, WindowEnd: at.Add(time.Minute), FirstSeen: at, LastSeen: at})
	}
	for range 2 {
		if err := s.InsertHealth(t.Context(), health); err != nil {
			t.Fatal(err)
		}
		if err := s.InsertFindings(t.Context(), findings, at); err != nil {
			t.Fatal(err)
		}
	}
	for i := range findings {
		findings[i].Flows = 7 // the same window, with what came late
	}
	if err := s.InsertFindings(t.Context(), findings, at.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]uint64{
		"SELECT count() FROM exporter_health":                       20,
		"SELECT uniqExact(_shard_num) FROM exporter_health":         2,
		"SELECT count() FROM findings FINAL":                        20,
		"SELECT uniqExact(_shard_num) FROM findings":                2,
		"SELECT count() FROM alerts WHERE flows = 7":                20,
		"SELECT uniqExact(version) FROM alerts":                     20,
		"SELECT count() FROM schema_migrations WHERE name LIKE '%'": count(t, nodes.Node(t, 1, s), "SELECT count() FROM schema_migrations"),
	} {
		if got := count(t, s, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
	changed, err := s.Alerts(t.Context(), alert.Query{AfterVersion: uint64(at.Add(30 * time.Second).UnixMicro()), Limit: 100})
	if err != nil || len(changed) != 20 {
		t.Errorf("%d alerts have changed, error %v", len(changed), err)
	}
}

func TestProgressOnACluster(t *testing.T) {
	s := testkit.Cluster(t).Store(t)
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, detector := range []string{"policy", "intel", "telemetry"} {
		for _, c := range []struct {
			store func() error
			want  time.Time
		}{
			{func() error { return s.SaveProgress(t.Context(), detector, at.Add(time.Hour)) }, at.Add(time.Hour)},
			{func() error { return s.SaveProgress(t.Context(), detector, at) }, at.Add(time.Hour)},
			{func() error { return s.RewindProgress(t.Context(), detector, at) }, at},
		} {
			if err := c.store(); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Progress(t.Context(), detector); err != nil || !got.Equal(c.want) {
				t.Errorf("%s has come to %s, want %s (%v)", detector, got, c.want, err)
			}
		}
	}
}
