package storage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
)

// The lists of names are for whoever may read, from any database, and name each thing
// once.
func TestNamesForTheReader(t *testing.T) {
	s := testkit.Store(t)
	see(t, s, []sighting{{sampling: 1, bytes: 9000, outward: true, initiator: flow.InitiatorSrc, peerPort: 57722}})
	endpoint := testkit.Engine(t).Reader()
	endpoint.Database = "system"
	reader, in := testkit.Open(t, endpoint), s.Database()+"."
	for query, want := range map[string]string{
		"SELECT name FROM " + in + "countries WHERE code = 'SG'":                                                                                                                         "Singapore",
		"SELECT count() >= 249, uniqExact(code) = count(), countIf(name = '' OR length(code) != 2) FROM " + in + "countries":                                                             "1 1 0",
		"SELECT name FROM " + in + "protocols WHERE number = 47":                                                                                                                         "gre",
		"SELECT uniqExact(number) = count(), uniqExact(name) = count(), countIf(description = '') FROM " + in + "protocols":                                                              "1 1 0",
		"SELECT name FROM " + in + "services WHERE protocol = 6 AND port = 4786":                                                                                                         "smart-install",
		"SELECT uniqExact(protocol, port) = count(), countIf(name = '' OR description = '') FROM " + in + "services":                                                                     "1 0",
		"SELECT count() FROM " + in + "services WHERE (port, protocol) IN ((49, 6), (57722, 6), (830, 6), (2123, 17), (2152, 17), (3868, 132), (2905, 132), (36412, 132), (38412, 132))": "9",
		"SELECT organisation FROM " + in + "asns WHERE asn = 20473":                                                                                                                      "The Constant Company, LLC",
		"SELECT c.name FROM " + in + "watched_flows AS f LEFT JOIN " + in + "countries AS c ON c.code = f.dst_country":                                                                   "Singapore",
	} {
		if got := lines(t, reader, query); len(got) != 1 || got[0] != want {
			t.Errorf("%s gives %v, want %s", query, got, want)
		}
	}
	for _, view := range []string{"flows_text", "watched_flows_text"} {
		got := lines(t, reader, "SELECT src_addr, dst_addr, exporter, protocol_name, service_name, src_country_name, dst_country_name FROM "+in+view)
		if diff := cmp.Diff([]string{"10.40.1.10 45.32.114.43 127.1.0.0 tcp iosxr-ssh  Singapore"}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", view, diff)
		}
	}
	got := lines(t, reader, "SELECT asset_addr, peer_addr, told_by, exporters, protocol_name, service_name, peer_country_name FROM "+in+"conversations_text")
	if diff := cmp.Diff([]string{"10.40.1.10 45.32.114.43 127.1.0.0 [127.1.0.0] tcp iosxr-ssh Singapore"}, got); diff != "" {
		t.Errorf("conversations_text (-want +got)\n%s", diff)
	}
}

// What nobody has named is shown as the number or code that it is.
func TestNamesOfTheUnknown(t *testing.T) {
	s := testkit.Store(t)
	b := batch([]sighting{{sampling: 1, bytes: 9000, outward: true, initiator: flow.InitiatorSrc, protocol: 222, peerPort: 61000}})
	b.DstCountry[0] = "ZZ"
	insertAll(t, s, b)
	got := lines(t, s, "SELECT protocol_name, service_name, peer_country_name FROM conversations_text")
	if diff := cmp.Diff([]string{"222  ZZ"}, got); diff != "" {
		t.Error(diff)
	}
}
