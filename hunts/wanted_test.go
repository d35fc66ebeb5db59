package hunts_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// history is far enough back for all days of the campaign.
var history = campaignStart.Format(time.DateOnly)

var (
	intruder = netip.MustParseAddr("45.32.110.61")
	mdf3     = netip.MustParseAddr("198.51.100.72")
)

// wanted says, for each hunt, what of the campaign it must find.
func wanted() map[string]expected {
	return map[string]expected{
		"asset-peers": {
			values:    map[string]string{"asset": "mdf3-1"},
			intrusion: "li-ssh", ports: []uint16{22}, client: "peer", port: "port",
			check: func(t *testing.T, c *campaign, rows []row) {
				out, in := c.bytes[[2]netip.Addr{mdf3, intruder}], c.bytes[[2]netip.Addr{intruder, mdf3}]
				if r := rows[0]; !near(r["bytes_to_peer"], out) || !near(r["bytes_to_asset"], in) {
					t.Errorf("%s bytes out and %s in, want %d and %d", r["bytes_to_peer"], r["bytes_to_asset"], out, in)
				}
			},
		},
		"zone-new-peers": {values: map[string]string{"zone": "li-east"}, intrusion: "li-ssh", ports: []uint16{22}, client: "peer", server: "asset", first: 2},
		"zone-new-countries": {
			values: map[string]string{"zone": "li-east"}, intrusion: "li-ssh", by: intruder, ports: []uint16{22}, client: "peers", server: "assets",
			check: func(t *testing.T, _ *campaign, rows []row) {
				if r := rows[0]; len(rows) != 1 || r["country"] != "SG" || r["country_name"] != "Singapore" || r["opened_by"] != "peer" {
					t.Errorf("new countries are %v", rows)
				}
			},
		},
		"zone-new-networks": {
			values: map[string]string{"zone": "management"}, intrusion: "intel-c2", client: "assets", server: "peers",
			check: func(t *testing.T, _ *campaign, rows []row) {
				if r := rows[0]; len(rows) != 1 || r["asn"] != "12876" || !strings.Contains(r["organisation"], "Scaleway") || r["opened_by"] != "asset" {
					t.Errorf("new networks are %v", rows)
				}
			},
		},
		"long-sessions":        {values: map[string]string{"min": "70m"}, intrusion: "mirror-tunnel", client: "client", server: "server", first: 3, check: longSSH},
		"odd-management-ports": {intrusion: "li-ssh", ports: []uint16{57722}, client: "client", server: "device", port: "port", first: 2, check: highSSH},
		"tunnels":              {intrusion: "mirror-tunnel", client: "source_asset", server: "destination"},
		"bytes-out-by-country": {
			values: map[string]string{"country": "SG"}, intrusion: "config-out", ports: []uint16{69}, client: "asset", overview: true,
			check: func(t *testing.T, _ *campaign, rows []row) {
				if r := rows[0]; r["country"] != "SG" || r["largest_peer"] != "45.32.112.47" {
					t.Errorf("most goes to %v", r)
				}
			},
		},
		"aaa-destinations":      {intrusion: "aaa-redirect", client: "device", server: "server", port: "port"},
		"device-to-device":      {intrusion: "device-abuse", ports: []uint16{22}, client: "client", server: "server", port: "port"},
		"device-file-transfers": {intrusion: "config-out", ports: []uint16{69}, client: "device", server: "peer", port: "ports"},
		"snmp-fan-out":          {intrusion: "snmp-sweep", client: "source", server: "some_of_them"},
		"smart-install":         {intrusion: "device-abuse", ports: []uint16{4786}, client: "client", server: "device"},
		"silent-exporters": {check: func(t *testing.T, c *campaign, rows []row) {
			silent, err := strconv.Atoi(rows[0]["silent_seconds"])
			if len(rows) != 1 || rows[0]["router"] != c.routers["pe1.east"].Address.String() || err != nil || silent < 1790 || silent > 1810 {
				t.Errorf("silent are %v", rows)
			}
		}},
		"indicator-history": {
			values:    map[string]string{"prefix": "45.32.114.0/24", "since": history},
			intrusion: "slow-exfiltration", client: "asset", server: "indicator", port: "port", first: 6,
			check: func(t *testing.T, _ *campaign, rows []row) {
				if len(rows) != 6 {
					t.Errorf("%d days, want 6", len(rows))
				}
			},
		},
		"address-sightings": {
			values: map[string]string{"address": "45.32.110.61"},
			check: func(t *testing.T, c *campaign, rows []row) {
				seen := map[string]bool{}
				for _, r := range rows {
					seen[r["router"]+" "+r["seen_as"]] = true
				}
				for _, name := range []string{"li1.east", "core1.east"} {
					if a := c.routers[name].Address.String(); !seen[a+" source"] || !seen[a+" destination"] {
						t.Errorf("not seen at %s both ways: %v", name, seen)
					}
				}
			},
		},
		"top-talkers": {
			values: map[string]string{"zone": "routers"}, overview: true, intrusion: "mirror-tunnel", client: "asset", server: "largest_receiver",
		},
		"new-listeners": {intrusion: "backdoor", server: "asset", port: "port", client: "some_clients", first: 3},
		"slow-exfiltration": {
			values:    map[string]string{"since": campaignStart.AddDate(0, 0, 2).Format(time.DateOnly)},
			intrusion: "slow-exfiltration", client: "asset", server: "peer", port: "ports",
			check: func(t *testing.T, c *campaign, rows []row) {
				sent := c.bytes[[2]netip.Addr{netip.MustParseAddr("10.40.1.10"), netip.MustParseAddr("45.32.114.43")}]
				if r := rows[0]; r["days_active"] != "6" || !near(r["bytes_estimate"], sent) {
					t.Errorf("%s days and %s bytes, want 6 and %d", r["days_active"], r["bytes_estimate"], sent)
				}
			},
		},
		"regular-callers":         {values: map[string]string{"min": "5"}, intrusion: "intel-c2", client: "client", server: "server", port: "port"},
		"management-from-outside": {intrusion: "li-ssh", client: "client", server: "asset", port: "port", first: 3},
		"unsampled-flows": {check: func(t *testing.T, c *campaign, rows []row) {
			if len(rows) != 1 || rows[0]["router"] != c.routers[unsampledRouter].Address.String() || rows[0]["intervals_said"] != "[100]" {
				t.Errorf("unsampled are %v", rows)
			}
		}},
		"exporter-losses": {check: func(t *testing.T, c *campaign, rows []row) {
			for _, r := range rows {
				if r["router"] != c.routers[lossyRouter].Address.String() || r["lost_share"] != "0.1" || !strings.Contains(r["dropped_by_reason"], "no_template") {
					t.Errorf("lost: %v", r)
				}
			}
		}},
		"admin-unusual-hours": {intrusion: "night-admin", client: "client", server: "asset", port: "port", first: 3},
		"li-foreign-networks": {
			intrusion: "li-ssh", by: intruder, ports: []uint16{22}, client: "peer",
			check: func(t *testing.T, _ *campaign, rows []row) {
				if r := rows[0]; r["asset"] != "mdf3-1" || r["country"] != "SG" || r["foreign"] != "true" || r["hosting"] != "true" {
					t.Errorf("first is %v", r)
				}
			},
		},
		"intelligence-hits": {intrusion: "intel-c2", client: "asset", server: "listed", port: "port"},
		"rare-ports":        {values: map[string]string{"zone": "core-east"}, intrusion: "backdoor", port: "port"},
		"asset-alerts": {
			values: map[string]string{"asset": "mdf3-1"}, intrusion: "li-ssh", ports: []uint16{22}, client: "peer", port: "port", first: 2,
			check: func(t *testing.T, _ *campaign, rows []row) {
				if r := rows[0]; r["severity"] != "critical" || !strings.Contains(r["evidence"], "watched_flows") || r["reasons"] == "[]" {
					t.Errorf("first is %v", r)
				}
			},
		},
		"device-outbound": {intrusion: "config-out", client: "device", server: "peer", port: "port", first: 3},
		"stepping-stones": {intrusion: "device-abuse", ports: []uint16{22022}, client: "came_from", server: "through", port: "through_port", first: 2},
		"one-way-streams": {intrusion: "mirror-tunnel", client: "asset", server: "receiver"},
		"unlisted-hosts":  {intrusion: "unlisted-host", client: "address"},
		"sweeps":          {intrusion: "intercept-sweep", client: "source", port: "ports"},
	}
}

// longSSH: the shell on a router's second SSH port lasts for more than an hour, and
// is one session.
func longSSH(t *testing.T, _ *campaign, rows []row) {
	for _, r := range rows {
		if r["client"] == intruder.String() && r["port"] == "57722" && r["hours"] >= "1.2" && r["hours"] < "1.5" && r["talked_before"] == "false" {
			return
		}
	}
	t.Errorf("no session of %s on port 57722: %v", intruder, rows)
}

// highSSH: the shell on port 22022 is found too, and nothing else.
func highSSH(t *testing.T, _ *campaign, rows []row) {
	if len(rows) != 2 || rows[1]["port"] != "22022" || rows[1]["device"] != "dc1.east" {
		t.Errorf("rows %v", rows)
	}
}
