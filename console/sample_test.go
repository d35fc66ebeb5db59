package console_test

import (
	"net/netip"
	"time"

	"tapwatch/alert"
	"tapwatch/console"
)

var mdf3 = alert.Party{
	Addr: netip.MustParseAddr("10.66.0.30"), Zone: "li-east", ZoneKind: "lawful-intercept", Asset: "mdf3-1", Role: "mdf3",
}

// sshFromAbroad is what the policy detector says of an intruder on a rented server
// who logs in to the system that delivers wiretap content.
func sshFromAbroad(now time.Time) alert.Alert {
	return alert.Alert{
		Finding: alert.Finding{
			ID: "5f0c1b7e2a9d4463", Detector: "policy", Rule: "li-default-deny",
			WindowStart: now.Add(-time.Minute), WindowEnd: now,
			FirstSeen: now.Add(-47 * time.Minute), LastSeen: now.Add(-12 * time.Second),
			Severity: alert.Critical,
			Title:    "203.0.113.34 (Seychelles) holds SSH sessions with mdf3-1 in li-east",
			Summary: "A server outside the network has logged in to mdf3-1, which delivers intercepted content to agencies. No allow rule " +
				"lets anything outside reach it, and 1.84 GB left it within 47 minutes.",
			Reasons: []string{
				"No allow rule covers 203.0.113.34 to mdf3-1 on TCP 22; zone li-east is default-deny.",
				"Rule li-administration allows TCP 22 to li-east only from jump-1.",
				"1.84 GB went out and 12.6 MB came in: 146 times more out than in.",
				"The address was never seen with any protected system in the 400 days kept.",
			},
			NextSteps: []string{
				"Do not log in to mdf3-1 from the network: take its console, and assume its credentials are known.",
				"Call the lawful-intercept duty officer; warrants in progress may be exposed.",
				"Block 203.0.113.34 at the peering edge (tapwatch block shows what else that would hit).",
				"Keep the flows: run the query below and store its result with the case.",
			},
			SQL: "SELECT received_at, exporter, src_addr, src_port, dst_addr, dst_port, bytes, packets\n" +
				"FROM tapwatch.watched_flows\n" +
				"WHERE received_at >= '2026-03-01 06:00:00' AND received_at < '2026-03-01 06:48:00'\n" +
				"  AND '203.0.113.34' IN (toString(src_addr), toString(dst_addr))\n" +
				"  AND 'mdf3-1' IN (src_asset, dst_asset)\n" +
				"ORDER BY received_at",
			Asset: mdf3,
			Peer: alert.Party{
				Addr: netip.MustParseAddr("203.0.113.34"), Country: "SC", ASN: 64496, ASOrg: "Example Offshore Hosting Ltd",
			},
			Initiator: "peer", Protocol: 6, Port: 22,
			Flows: 214, BytesToAsset: 12_617_332, BytesToPeer: 1_842_905_118, Packets: 1_530_221,
			Exporters: []string{"pe1.east (10.30.0.1)", "pe2.east (10.30.0.2)"},
			Quality:   []string{"pe2.east samples 1 of 1000 packets: small flows may be missing from its share."},
			Techniques: []alert.Technique{
				{ID: "T1133", Name: "External Remote Services", Tactic: "Initial Access", Matrix: "Enterprise 17.1"},
				{ID: "T1048", Name: "Exfiltration Over Alternative Protocol", Tactic: "Exfiltration", Matrix: "Enterprise 17.1"},
			},
		},
		Findings: 47, RaisedAt: now.Add(-46 * time.Minute), UpdatedAt: now.Add(-10 * time.Second),
	}
}

// listed is a hit of the intelligence detector.
func listed(now time.Time) alert.Alert {
	return alert.Alert{
		Finding: alert.Finding{
			ID: "a41d07c9e86b2f15", Detector: "intel", Rule: "listed-address",
			FirstSeen: now.Add(-9 * time.Minute), LastSeen: now.Add(-100 * time.Second), Severity: alert.High,
			Title:   "smf-poi-1 in core-east talks with 198.51.100.9, listed by salt-typhoon-2025",
			Summary: "An intercept point in the core opened 18 HTTPS sessions to an address of a known campaign, one every 30 s.",
			Reasons: []string{
				"198.51.100.9 is in 45.61.128.0/24 of the list salt-typhoon-2025.",
				"smf-poi-1 has no business outside the network.",
			},
			NextSteps: []string{"Isolate smf-poi-1 from everything but its console.", "Look for the same peer on other assets: tapwatch hunt peer 198.51.100.9."},
			SQL:       "SELECT * FROM tapwatch.watched_flows WHERE dst_intel LIKE 'salt-typhoon-2025:%' ORDER BY received_at DESC LIMIT 100",
			Asset: alert.Party{
				Addr: netip.MustParseAddr("10.40.2.10"), Zone: "core-east", ZoneKind: "core", Asset: "smf-poi-1", Role: "poi", Country: "DE",
			},
			Peer:      alert.Party{Addr: netip.MustParseAddr("198.51.100.9"), Country: "NL", ASN: 53667, ASOrg: "Example VPS B.V."},
			Initiator: "asset", Protocol: 6, Port: 443, Flows: 18, BytesToAsset: 91_400, BytesToPeer: 40_210, Packets: 402,
			Exporters:  []string{"pe1.east (10.30.0.1)"},
			Techniques: []alert.Technique{{ID: "T1071.001", Name: "Web Protocols", Tactic: "Command and Control", Matrix: "Enterprise 17.1"}},
		},
		Findings: 9, RaisedAt: now.Add(-8 * time.Minute), UpdatedAt: now.Add(-90 * time.Second),
	}
}

// silent is an alert about a router, without a peer.
func silent(now time.Time) alert.Alert {
	return alert.Alert{
		Finding: alert.Finding{
			ID: "0be9d1f27734ac58", Detector: "telemetry", Rule: "exporter-silent",
			FirstSeen: now.Add(-17 * time.Minute), LastSeen: now.Add(-6 * time.Minute), Severity: alert.Medium,
			Title:     "pe3.west has exported nothing for 11 minutes",
			Summary:   "What passes pe3.west is not watched. Routers of its site sent as usual meanwhile.",
			Reasons:   []string{"pe3.west sends 420 records a minute at this hour of the day; 0 came since 05:31 UTC."},
			NextSteps: []string{"Ask the network's own monitoring whether pe3.west is up.", "If it is up, find out who changed its flow export: intruders switch it off."},
			SQL:       "SELECT at, datagrams, records FROM tapwatch.exporter_health WHERE exporter = '10.30.0.3' ORDER BY at DESC LIMIT 60",
			Asset:     alert.Party{Addr: netip.MustParseAddr("10.30.0.3"), Zone: "routers", ZoneKind: "infrastructure", Asset: "pe3.west", Role: "router"},
			Techniques: []alert.Technique{
				{ID: "T1562", Name: "Impair Defenses", Tactic: "Defense Evasion", Matrix: "Enterprise 17.1"},
			},
		},
		Findings: 11, RaisedAt: now.Add(-11 * time.Minute), UpdatedAt: now.Add(-5 * time.Minute),
	}
}

// tunnel is an alert between two ends of the network itself, whose initiator the
// flows do not tell.
func tunnel(now time.Time) alert.Alert {
	return alert.Alert{
		Finding: alert.Finding{
			ID: "c7719e03b5d28fa6", Detector: "policy", Rule: "unlisted-tunnel",
			FirstSeen: now.Add(-3 * time.Hour), LastSeen: now.Add(-31 * time.Minute), Severity: alert.Low,
			Title:   "GRE between pe1.east and 10.20.0.77 is not in the inventory",
			Summary: "A tunnel that nobody listed carries a little traffic from a router to the management network.",
			Reasons: []string{"No entry of tunnels lists 10.30.0.1 with 10.20.0.77."},
			SQL:     "SELECT count() FROM tapwatch.flows WHERE protocol = 47",
			Asset:   alert.Party{Addr: netip.MustParseAddr("10.30.0.1"), Zone: "routers", ZoneKind: "infrastructure", Asset: "pe1.east", Role: "router"},
			Peer:    alert.Party{Addr: netip.MustParseAddr("10.20.0.77"), Zone: "management", ZoneKind: "management"},
			Flows:   12, BytesToAsset: 840, BytesToPeer: 60_112, Packets: 96, Protocol: 47,
			Exporters: []string{"pe1.east (10.30.0.1)"},
		},
		Findings: 3, RaisedAt: now.Add(-170 * time.Minute), UpdatedAt: now.Add(-30 * time.Minute),
	}
}

// hostile is an alert whose every word was chosen by an enemy of the page.
func hostile(now time.Time) alert.Alert {
	const evil = `<script>window.pwned=1</script><img src=x onerror="window.pwned=1">`
	a := sshFromAbroad(now)
	a.ID = `"><script>window.pwned=1</script>`
	a.Title, a.Summary, a.SQL, a.Rule, a.Detector = evil+" title", evil, evil, evil, evil
	a.Reasons, a.NextSteps, a.Exporters, a.Quality = []string{evil}, []string{evil}, []string{evil}, []string{evil}
	a.Asset.Asset, a.Asset.Zone, a.Asset.Role, a.Peer.ASOrg, a.Peer.Country = evil, evil, evil, evil, "<b"
	a.Techniques = []alert.Technique{{ID: evil, Name: evil, Tactic: evil, Matrix: evil}}
	return a
}

func sampleExporters(now time.Time) []console.ExporterStatus {
	fact := func(addr, name, site, protocol string, records float64) console.ExporterStatus {
		return console.ExporterStatus{
			Address: netip.MustParseAddr(addr), Name: name, Site: site, Listed: name != "", Protocols: []string{protocol},
			IntervalEnd: now.Add(-20 * time.Second), IntervalSeconds: 60, DatagramsPerSecond: records / 24, RecordsPerSecond: records,
			BytesPerSecond: records * 58, LastReceivedAt: now.Add(-2 * time.Second), Templates: 3, SamplingIntervals: []uint32{1000},
		}
	}
	v5 := fact("10.30.0.4", "agg1.west", "west", "netflow5", 92)
	v5.Templates = 0
	gone := fact("10.30.0.3", "pe3.west", "west", "ipfix", 0)
	gone.LastReceivedAt = now.Add(-17 * time.Minute)
	lossy := fact("10.30.0.2", "pe2.east", "east", "netflow9", 1312)
	lossy.Dropped = map[string]uint64{"missing_template": 214, "truncated": 3}
	lossy.UnsampledRecords, lossy.SamplingIntervals = 5120, nil
	lossy.Datagrams, lossy.LostDatagrams, lossy.Platform = 190_000, 10_000, "ios-xr"
	unlisted := fact("198.51.100.7", "", "", "sflow5", 14.5)
	unlisted.SamplingIntervals = []uint32{512}
	return []console.ExporterStatus{fact("10.30.0.1", "pe1.east", "east", "ipfix", 2210), lossy, gone, v5, unlisted}
}
