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
	const insert = `INSERT INTO flows (received_at, exporter, sampling_interval, src_addr, dst_addr, src_port, dst_port,
		protocol, bytes, packets, src_country, dst_country, src_asn, dst_asn, src_zone, dst_zone, src_zone_kind, dst_zone_kind,
		src_asset, dst_asset, initiator, asset_end, watched, in_if, out_if) VALUES
	(?, '10.30.0.1', 1000, '203.0.113.7', '10.66.0.10', 40001, 443,
		6, 1000, 10, 'RU', '', 64500, 0, '', 'li-east', '', 'lawful-intercept', '', 'admf-1', 'src', 'dst', true, 7, 8),
	(?, '10.30.0.1', 0, '10.66.0.10', '203.0.113.7', 443, 40001,
		6, 480, 4, '', 'RU', 0, 64500, 'li-east', '', 'lawful-intercept', '', 'admf-1', '', 'dst', 'src', true, 8, 7)`
	if err := store.Exec(t.Context(), insert, at(30), at(31)); err != nil {
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
		"First conversations/A": {
			at(30), "203.0.113.7", "RU", "admf-1", "li-east", "TCP/443", "system", uint64(2),
		},
		"New countries and networks/A": {at(30), "li-east", "AS64500 ", uint64(2)},
		"Busiest interfaces/A":         {"10.30.0.1", "7", uint64(1_000_000), uint64(480), "1:1000"},
		"Exporters/A":                  {uint64(0), uint64(1)},
		"Flow sizes/A":                 {at(0), "up to          1024 B", uint64(2)},
		"Newest record/A":              {int64(269)},
		"Top talkers/A":                {"203.0.113.7", "RU", "10.66.0.10", "", uint64(1), uint64(1_000_000)},
		"variable zone":                {"li-east"},
		"variable exporter":            {"10.30.0.1"},
	} {
		if diff := cmp.Diff(want, shown(name).rows[0], near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestInsertDelay compares the delays shown with those of 100 records: of ten seconds
// of a router the newest record counts, for all that the router sent in them.
func TestInsertDelay(t *testing.T) {
	store := testkit.Store(t)
	now := time.Now().UTC().Truncate(time.Minute)
	at := now.Add(-4 * time.Minute)
	for _, a := range []struct {
		exporter string
		flows    int
		last     time.Duration // when its newest record came
		delay    time.Duration
	}{
		{"10.30.0.1", 50, 4 * time.Second, 3 * time.Second},
		{"10.30.0.1", 40, 9 * time.Second, 5 * time.Second}, // in the same ten seconds
		{"10.30.0.2", 10, 1 * time.Second, 60 * time.Second},
	} {
		last := at.Add(a.last)
		err := store.Exec(t.Context(), "INSERT INTO exporter_activity (at, exporter, flows, last_received_at, inserted_at) VALUES (?, ?, ?, ?, ?)",
			at, a.exporter, a.flows, last, last.Add(a.delay))
		if err != nil {
			t.Fatal(err)
		}
	}
	reader := testkit.Reader(t, store)
	for name, want := range map[string][]any{
		"Insert delay/A":                 {at, int64(5), int64(60), int64(60)},
		"Flow records are stored late/A": {int64(60)},
	} {
		if diff := cmp.Diff(want, run(t, reader, query(t, name), everything(), now, 10*time.Minute).rows[0]); diff != "" {
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
