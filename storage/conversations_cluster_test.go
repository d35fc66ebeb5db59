package storage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/internal/testkit"
)

// Two routers' records of one conversation lie on two nodes of a cluster: it counts once
// all the same, whatever node is asked, and names are at hand there.
func TestConversationsCountOnceInACluster(t *testing.T) {
	cluster := testkit.Cluster(t)
	s := cluster.Store(t)
	see(t, s, []sighting{{router: 1, sampling: 1000, bytes: 130, packets: 1}})
	second := cluster.Node(t, 1, s)
	err := second.Exec(t.Context(), `INSERT INTO flows_local
		SELECT * REPLACE (toIPv6('127.1.0.2') AS exporter, 1 AS sampling_interval, 120000 AS bytes, 12 AS packets) FROM flows`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		node := cluster.Node(t, i, s)
		for query, want := range map[string]string{
			"SELECT count() FROM flows_local": "1",
			"SELECT told_by, sampling_interval, flows, bytes, packets, exporters, peer_country_name, service_name FROM conversations_text":                                                          "127.1.0.2 1 1 120000 12 [127.1.0.1 127.1.0.2] Singapore https",
			"SELECT bytes, length(exporters) FROM conversations_by_hour WHERE asset = 'hss-1' AND at >= '2026-11-22 10:00:00'":                                                                      "120000 2",
			"SELECT asset, sum(flows), talked FROM asset_peers GROUP BY asset, talked":                                                                                                              "hss-1 2 true",
			"SELECT zone, country, sum(flows) FROM zone_countries GROUP BY ALL":                                                                                                                     "core-east SG 2",
			"SELECT sum(bytes), sum(flows) FROM traffic_minute":                                                                                                                                     "250000 2",
			"SELECT c.name, n.organisation, sum(f.flows) FROM conversations AS f LEFT JOIN countries AS c ON c.code = f.peer_country GLOBAL LEFT JOIN asns AS n ON n.asn = f.peer_asn GROUP BY ALL": "Singapore The Constant Company, LLC 1",
			"SELECT count(), any(c.name) FROM watched_flows AS f GLOBAL LEFT JOIN countries AS c ON c.code = f.src_country":                                                                         "2 Singapore",
			"SELECT count(), uniqExact(exporter), any(src_country_name), any(protocol_name) FROM flows_text":                                                                                        "2 2 Singapore tcp",
		} {
			if diff := cmp.Diff([]string{want}, lines(t, node, query)); diff != "" {
				t.Errorf("node %d: %s (-want +got)\n%s", i, query, diff)
			}
		}
	}
}
