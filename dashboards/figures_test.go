package dashboards_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tapwatch/dashboards/grafana"
	"tapwatch/internal/testkit"
)

// TestFigures compares what panels show of two known records, the two directions of
// one conversation: 1000 bytes sampled one of 1000 toward an LI system, and 480
// bytes back whose sampling rate is unknown.
func TestFigures(t *testing.T) {
	store := testkit.Store(t)
	now := time.Now().UTC().Truncate(time.Minute)
	at := func(second int) time.Time { return now.Add(time.Duration(second)*time.Second - 5*time.Minute) }
	const insert = `INSERT INTO flows (received_at, inserted_at, exporter, sampling_interval, src_addr, dst_addr, src_port, dst_port,
		protocol, bytes, packets, src_country, dst_country, src_asn, dst_asn, src_zone, dst_zone, src_zone_kind, dst_zone_kind,
		src_asset, dst_asset, initiator, watched) VALUES
	(?, ?, '10.30.0.1', 1000, '203.0.113.7', '10.66.0.10', 40001, 443,
		6, 1000, 10, 'RU', '', 64500, 0, '', 'li-east', '', 'lawful-intercept', '', 'admf-1', 'src', true),
	(?, ?, '10.30.0.1', 0, '10.66.0.10', '203.0.113.7', 443, 40001,
		6, 480, 4, '', 'RU', 0, 64500, 'li-east', '', 'lawful-intercept', '', 'admf-1', '', 'dst', true)`
	if err := store.Exec(t.Context(), insert, at(30), at(37), at(31), at(32)); err != nil {
		t.Fatal(err)
	}
	reader := testkit.Reader(t, store)
	shown := func(name string) result { return run(t, reader, query(t, name), everything(), now, 10*time.Minute) }

	rate := func(name string) (total float64) {
		for _, row := range shown("Traffic of protected zones/" + name).rows {
			if row[1] != "li-east" {
				t.Errorf("%s: zone %v", name, row[1])
			}
			total += row[2].(float64)
		}
		return total
	}
	near := cmpopts.EquateApprox(1e-9, 0)
	if to, from := rate("to")*60/8, rate("from")*60/8; !cmp.Equal(to, 1e6, near) || !cmp.Equal(from, 480., near) {
		t.Errorf("%v bytes to and %v from the zone, want 1000000 and 480", to, from)
	}

	for name, want := range map[string][]any{
		"Conversations with protected systems/A": {
			"203.0.113.7", "RU", "admf-1", "li-east", "TCP/443", uint64(2), uint64(1_000_000), uint64(480), at(30), at(31),
		},
		"Countries that talk with protected zones/A": {"RU", uint64(1_000_480), uint64(1), uint64(2)},
		"Networks that talk with protected zones/A":  {"AS64500 ", uint64(1), uint64(1_000_480)},
		"Exporters/A":       {uint64(0), uint64(1)},
		"Flow sizes/A":      {at(0), "up to          1024 B", uint64(2)},
		"Insert delay/A":    {at(0), 4.0, 6.7, int64(7)},
		"Newest record/A":   {int64(269)},
		"Top talkers/A":     {"203.0.113.7", "RU", "10.66.0.10", "", uint64(1), uint64(1_000_000)},
		"variable zone":     {"li-east"},
		"variable exporter": {"10.30.0.1"},
	} {
		if diff := cmp.Diff(want, shown(name).rows[0], near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// query is the one whose name ends so.
func query(t *testing.T, name string) grafana.Query {
	t.Helper()
	for _, q := range allQueries(t) {
		if strings.HasSuffix(q.Name, "/"+name) {
			return q
		}
	}
	t.Fatalf("no query %s", name)
	return grafana.Query{}
}
