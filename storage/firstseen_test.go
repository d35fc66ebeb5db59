package storage_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// First seen is the earliest, whenever it was stored, and a conversation is apart from
// attempts.
func TestFirstSeen(t *testing.T) {
	s := testkit.Store(t)
	day := func(n int) time.Time { return testTime.AddDate(0, 0, n) }
	see(t, s,
		// A scan of the asset's SSH, which refuses, and two days later a login.
		[]sighting{
			{at: day(3), assetPort: 22, peerPort: 40_000, flags: synOnly, bytes: 44, initiator: flow.InitiatorSrc},
			{at: day(3), outward: true, assetPort: 22, peerPort: 40_000, flags: 20, bytes: 40, initiator: flow.InitiatorDst},
		},
		[]sighting{{at: day(5), assetPort: 22, peerPort: 40_001, bytes: 9000, initiator: flow.InitiatorSrc}},
		// What the asset asked is another service, and was seen earlier still, but stored late.
		[]sighting{{at: day(6), outward: true, bytes: 9000, initiator: flow.InitiatorSrc}},
		[]sighting{{at: day(1), outward: true, bytes: 9000, initiator: flow.InitiatorSrc, router: 2}},
		// Over UDP a peer talks once the asset does.
		[]sighting{{at: day(2), protocol: 17, assetPort: 161, peerPort: 50_000, bytes: 90, initiator: flow.InitiatorSrc}},
		[]sighting{{at: day(7), protocol: 17, outward: true, assetPort: 161, peerPort: 50_000, bytes: 90, initiator: flow.InitiatorDst}},
		// Strangers are nobody's peers.
		[]sighting{{at: day(0), unwatched: true, bytes: 1}},
	)
	got := lines(t, s, `SELECT protocol, port, asset_serves, talked, toDayOfMonth(min(first_seen)), toDayOfMonth(max(last_seen)), sum(flows),
			sum(opened_by_peer), sum(opened_by_asset), any(asset), any(asset_zone), any(peer_country), any(peer_asn)
		FROM asset_peers GROUP BY ALL ORDER BY 1, 2, 3, 4`)
	want := []string{
		"6 22 true false 25 25 2 2 0 hss-1 core-east SG 20473",
		"6 22 true true 27 27 1 1 0 hss-1 core-east SG 20473",
		"6 443 false true 23 28 2 0 2 hss-1 core-east SG 20473",
		"17 161 true false 24 24 1 1 0 hss-1 core-east SG 20473",
		"17 161 true true 29 29 1 1 0 hss-1 core-east SG 20473",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asset_peers (-want +got)\n%s", diff)
	}
	for table, key := range map[string]string{"zone_countries": "country", "zone_asns": "asn"} {
		value := map[string]string{"country": "SG", "asn": "20473"}[key]
		got := lines(t, s, "SELECT zone, zone_kind, "+key+`, talked, toDayOfMonth(min(first_seen)), toDayOfMonth(max(last_seen)), sum(flows), sum(opened_by_peer), sum(opened_by_asset)
			FROM `+table+" GROUP BY ALL ORDER BY talked")
		want := []string{"core-east core " + value + " false 24 25 3 3 0", "core-east core " + value + " true 23 29 4 2 2"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", table, diff)
		}
	}
}

// No merge forgets a pair: these tables have no TTL, and what one had long ago is merged
// with what it has now.
func TestFirstSeenStaysOverMerges(t *testing.T) {
	s := testkit.Store(t)
	see(t, s,
		[]sighting{{at: testTime.AddDate(-5, 0, 0), bytes: 9000, initiator: flow.InitiatorSrc}},
		[]sighting{{at: testTime, bytes: 9000, initiator: flow.InitiatorSrc}},
	)
	for _, table := range []string{"asset_peers", "zone_countries", "zone_asns"} {
		if err := s.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			t.Fatal(err)
		}
		got := lines(t, s, "SELECT count(), toYear(min(first_seen)), toYear(max(last_seen)), sum(flows) FROM "+table)
		if want := []string{"1 2021 2026 2"}; !slices.Equal(got, want) {
			t.Errorf("%s has %q after merging, want %q", table, got, want)
		}
	}
}

// What docs/operations.md says forgets who was last seen long ago, and of others nothing,
// whatever parts and nodes their rows are in.
func TestForgetByHand(t *testing.T) {
	document, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	forget := regexp.MustCompile(`(?m)^    ALTER TABLE tapwatch\.asset_peers DELETE\n(    .*\n)+`).FindString(string(document))
	if forget == "" {
		t.Fatal("docs/operations.md does not say how to forget")
	}
	cluster := testkit.Cluster(t)
	for name, s := range map[string]*storage.Store{"one server": testkit.Store(t), "a cluster": cluster.Store(t)} {
		t.Run(name, func(t *testing.T) {
			nodes, table := []*storage.Store{s, s}, "asset_peers"
			if name == "a cluster" {
				nodes, table = []*storage.Store{cluster.Node(t, 0, s), cluster.Node(t, 1, s)}, "asset_peers_local"
			}
			for i, seen := range []map[int]string{{1: "2021-01-01", 2: "2021-01-01", 3: "2026-11-01"}, {1: "2022-01-01", 2: "2026-11-01", 4: "2022-01-01"}} {
				for peer, day := range seen {
					err := nodes[i].Exec(t.Context(), "INSERT INTO "+table+" (asset, peer_addr, first_seen, last_seen, flows) SELECT 'hss-1', toIPv6(?), at, at, 1 FROM (SELECT toDateTime64(?, 3, 'UTC') AS at)",
						fmt.Sprintf("45.32.114.%d", peer), day+" 00:00:00")
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			statement := strings.Replace(forget, "ALTER TABLE tapwatch.asset_peers ", "ALTER TABLE tapwatch."+table+" ", 1)
			statement = strings.ReplaceAll(statement, "tapwatch.", scan[string](t, s, "SELECT currentDatabase()")+".")
			for _, node := range nodes {
				if err := node.Exec(t.Context(), statement+" SETTINGS mutations_sync = 1"); err != nil {
					t.Fatal(err)
				}
			}
			got := lines(t, s, "SELECT toString(peer_addr), toYear(min(first_seen)), toYear(max(last_seen)), sum(flows) FROM asset_peers GROUP BY peer_addr ORDER BY 1")
			want := []string{"::ffff:45.32.114.2 2021 2026 2", "::ffff:45.32.114.3 2026 2026 1"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("asset_peers (-want +got)\n%s", diff)
			}
		})
	}
}

// An insert tried again, also one that failed in a table at the end of the chain, counts
// once in every table that depends on flows.
func TestRollupsCountARepeatedInsertOnce(t *testing.T) {
	s := testkit.Store(t)
	b := batch([]sighting{{router: 1, sampling: 10, bytes: 100_000}, {router: 2, sampling: 1, bytes: 90_000, outward: true}})
	counts := map[string]uint64{"traffic_minute": 0, "asset_peers": 0, "zone_countries": 0, "zone_asns": 0, "conversations_minute": 0, "conversations_hour": 0}
	exec := func(statement string) {
		t.Helper()
		if err := s.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	inserts := uint64(0)
	for table := range counts {
		exec("RENAME TABLE " + table + " TO away")
		if err := storage.InsertBatch(t.Context(), s, b, table); err == nil {
			t.Errorf("an insert without table %s succeeds", table)
		}
		exec("RENAME TABLE away TO " + table)
		for range 2 {
			if err := storage.InsertBatch(t.Context(), s, b, table); err != nil {
				t.Fatal(err)
			}
		}
		inserts++
	}
	for table := range counts {
		if got := scan[uint64](t, s, "SELECT sum(flows) FROM "+table); got != 2*inserts {
			t.Errorf("%s counts %d flows after %d inserts of 2, each tried three times", table, got, inserts)
		}
	}
}

// traffic_minute is by minute, router and interfaces, multiplied by the sampling.
func TestTrafficMinute(t *testing.T) {
	s := testkit.Store(t)
	see(t, s,
		[]sighting{
			{router: 1, in: 3, out: 4, sampling: 100, bytes: 500, packets: 2, at: testTime.Add(time.Second)},
			{router: 1, in: 3, out: 4, sampling: 1000, bytes: 60, packets: 1, at: testTime.Add(59 * time.Second), unwatched: true},
			{router: 1, in: 3, out: 5, sampling: 0, bytes: 7, packets: 1, at: testTime},
			{router: 1, in: 3, out: 4, sampling: 100, bytes: 1, packets: 1, at: testTime.Add(time.Minute)},
		},
		[]sighting{
			{router: 1, in: 3, out: 4, sampling: 100, bytes: 500, packets: 2, at: testTime.Add(2 * time.Second)},
			{router: 2, in: 3, out: 4, sampling: 1, bytes: 9, packets: 1, at: testTime},
			{router: 1, in: 3, out: 4, direction: flow.DirectionEgress, sampling: 100, bytes: 500, packets: 2, at: testTime},
		},
	)
	got := lines(t, s, `SELECT toMinute(at), replaceOne(toString(exporter), '::ffff:127.1.0.', ''), in_if, out_if, direction,
			sum(flows), sum(bytes), sum(packets), max(sampling_interval), max(last_received_at) - toDateTime64('2026-11-22 10:00:00', 3, 'UTC') AS seconds
		FROM traffic_minute GROUP BY at, exporter, in_if, out_if, direction ORDER BY 1, 2, 3, 4, 5`)
	want := []string{
		"0 1 3 4 unknown 3 160000 1400 1000 59",
		"0 1 3 4 egress 1 50000 200 100 0",
		"0 1 3 5 unknown 1 7 1 0 0",
		"0 2 3 4 unknown 1 9 1 1 0",
		"1 1 3 4 unknown 1 100 100 100 60",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if sum := scan[uint64](t, s, "SELECT sum(bytes) FROM traffic_minute WHERE inserted_on = today()"); sum == 0 {
		t.Error("inserted_on is not today")
	}
}
