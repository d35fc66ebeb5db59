package storage_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
)

// The router whose amounts count is the one that samples least of those that saw at
// least a tenth of what any one surely saw, in both views and whatever insert brought which record.
func TestConversationsCountOnce(t *testing.T) {
	s := testkit.Store(t)
	peer := byte(0)
	for _, c := range []struct {
		name string
		seen []sighting
		want string // told_by, sampling_interval, flows, bytes, packets, exporters
	}{
		{
			"two routers, one samples",
			[]sighting{{router: 1, sampling: 1000, bytes: 130, packets: 1}, {router: 2, sampling: 1, bytes: 100_000}, {router: 2, sampling: 1, bytes: 20_000}},
			"127.1.0.2 1 2 120000 12 127.1.0.1,127.1.0.2",
		},
		{ // 100 sampled packets: of 130 MB, 104 are sure
			"one that saw less than a tenth of what another surely saw tells nothing",
			[]sighting{{router: 1, sampling: 1000, bytes: 130_000, packets: 100}, {router: 2, sampling: 1, bytes: 10_390_000}},
			"127.1.0.1 1000 1 130000000 100000 127.1.0.1,127.1.0.2",
		},
		{
			"one that saw a tenth does",
			[]sighting{{router: 1, sampling: 1000, bytes: 130_000, packets: 100}, {router: 2, sampling: 1, bytes: 10_410_000}},
			"127.1.0.2 1 1 10410000 1041 127.1.0.1,127.1.0.2",
		},
		{
			"a few sampled packets are no proof",
			[]sighting{{router: 1, sampling: 4096, bytes: 6000, packets: 4}, {router: 2, sampling: 1, bytes: 10_000}},
			"127.1.0.2 1 1 10000 1 127.1.0.1,127.1.0.2",
		},
		{
			"of equals the one that saw most",
			[]sighting{{router: 1, sampling: 1, bytes: 50_000}, {router: 2, sampling: 1, bytes: 60_000}, {router: 3, sampling: 1, bytes: 40_000}},
			"127.1.0.2 1 1 60000 6 127.1.0.1,127.1.0.2,127.1.0.3",
		},
		{
			"an unknown sampling is the worst",
			[]sighting{{router: 1, sampling: 0, bytes: 90_000}, {router: 2, sampling: 1000, bytes: 80, packets: 1}},
			"127.1.0.2 1000 1 80000 1000 127.1.0.1,127.1.0.2",
		},
		{
			"a router that meters both sides",
			[]sighting{
				{router: 1, sampling: 1, direction: flow.DirectionIngress, bytes: 70_000}, {router: 1, sampling: 1, direction: flow.DirectionEgress, bytes: 70_000},
				{router: 1, sampling: 1, direction: flow.DirectionIngress, bytes: 10_000}, {router: 1, sampling: 1, direction: flow.DirectionEgress, bytes: 10_000},
			},
			"127.1.0.1 1 2 80000 8 127.1.0.1",
		},
		{
			"nothing but a header",
			[]sighting{{router: 1, sampling: 1}},
			"127.1.0.1 1 1 0 1 127.1.0.1",
		},
	} {
		for _, apart := range []bool{false, true} {
			peer++
			for i := range c.seen {
				c.seen[i].peer = peer
			}
			if apart {
				for i := range c.seen {
					see(t, s, c.seen[i:i+1])
				}
			} else {
				see(t, s, c.seen)
			}
			for _, view := range []string{"conversations", "conversations_by_hour"} {
				got := lines(t, s, `SELECT replaceOne(toString(told_by), '::ffff:', ''), sampling_interval, flows, bytes, packets,
					replaceAll(arrayStringConcat(exporters, ','), '::ffff:', '')
					FROM `+view+" WHERE peer_addr = toIPv6('45.32.114."+strconv.Itoa(int(peer))+"')")
				if len(got) != 1 || got[0] != c.want {
					t.Errorf("%s, each in an insert of its own %t, in %s:\n%v, want\n%v", c.name, apart, view, got, c.want)
				}
			}
		}
	}
}

// What is no amount is of all routers; when flows began is told by one clock.
func TestConversationsShowTheWhole(t *testing.T) {
	s := testkit.Store(t)
	at := func(seconds int) time.Time { return testTime.Add(time.Duration(seconds) * time.Second) }
	see(t, s, []sighting{
		{router: 1, sampling: 1000, at: at(5), bytes: 50, packets: 1, flags: synOnly, lasted: 4 * time.Second},
		{router: 2, sampling: 1, at: at(20), bytes: 20_000, lasted: 7 * time.Second, initiator: flow.InitiatorDst},
		{router: 2, sampling: 1, at: at(30), bytes: 20_000, flags: 17, lasted: 2 * time.Second},
		{router: 1, sampling: 1000, at: at(55), bytes: 30, packets: 1, flags: 4},
		{router: 2, sampling: 1, at: at(61), bytes: 1, packets: 1},
	})
	got := lines(t, s, `SELECT toSecond(first_seen), toSecond(last_seen), tcp_flags, longest_ms, total_ms, arrayMap(b -> toSecond(b), starts),
		opened_by_asset, opened_by_peer, asset, asset_zone_kind, peer_country, protocol, port, asset_serves, to_asset FROM conversations ORDER BY at`)
	want := []string{
		"5 55 31 7000 9000 [13 28] 1 0 hss-1 core SG 6 443 false true",
		"1 1 26 0 0 [1] 0 0 hss-1 core SG 6 443 false true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A condition on any column that describes a conversation reaches the table.
func TestConversationsUseTheKey(t *testing.T) {
	s := testkit.Store(t)
	var all []sighting
	for minute := range 600 {
		for peer := range 20 {
			all = append(all, sighting{router: 1, sampling: 1, at: testTime.Add(time.Duration(minute) * time.Minute), peer: byte(peer + 1), bytes: 1000})
		}
	}
	see(t, s, all)
	for view, condition := range map[string]string{
		"conversations":         "asset = 'hss-1' AND at >= '2026-11-22 11:00:00' AND at < '2026-11-22 11:05:00' AND peer_country = 'SG'",
		"conversations_by_hour": "asset = 'hss-1' AND at = '2026-11-22 11:00:00' AND peer_country = 'SG'",
		"conversations_text":    "asset = 'hss-1' AND at >= '2026-11-22 11:00:00' AND at < '2026-11-22 11:05:00' AND peer_country = 'SG'",
	} {
		plan := strings.Join(lines(t, s, "EXPLAIN indexes = 1 SELECT sum(bytes) FROM "+view+" WHERE "+condition), "\n")
		_, key, _ := strings.Cut(plan, "PrimaryKey")
		for _, part := range []string{"asset in ['hss-1', 'hss-1']", "at in [", "peer_country in ['SG', 'SG']"} {
			if !strings.Contains(key, part) {
				t.Errorf("the key of the table below %s is not used for %q:\n%s", view, part, plan)
			}
		}
		if n := lines(t, s, "SELECT sum(bytes) FROM "+view+" WHERE "+condition); !slices.Contains([]string{"100000", "1200000"}, n[0]) {
			t.Errorf("%s has %s bytes where %s", view, n, condition)
		}
	}
}
