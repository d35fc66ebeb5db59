package geo_test

import (
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/geo"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// operator is an inventory with fences and roles of interfaces.
const operator = `
zones:
- {name: li-east, kind: lawful-intercept, prefixes: [10.66.0.0/24], assets: [{name: mdf3-1, addresses: [10.66.0.30], role: mdf3}]}
- {name: core-east, kind: core, prefixes: [10.40.0.0/16], assets: [{name: hss-1, addresses: [10.40.1.10], role: hss}]}
- {name: management, kind: management, prefixes: [10.20.0.0/24], assets: [{name: jump-1, addresses: [10.20.0.5], role: jump}]}
- {name: routers, kind: infrastructure, prefixes: [10.30.0.0/24], assets: [{name: pe1.east, addresses: [10.30.0.1], role: router}]}
- {name: subscribers, kind: customer, prefixes: [100.64.0.0/10]}
services: {lemf: [192.0.2.64/28]}
allow:
- {name: signalling, from: any, to: "kind:core", protocol: tcp, ports: 5061}
- {name: handover, from: "kind:core", to: "service:lemf", protocol: tcp, ports: 443}
exporters:
- {address: 10.30.0.1, name: pe1.east, interfaces: {core: [1, 2], peering: 10-19, customer: 100-199}, attached: {management: 150}}
- {address: 10.30.0.2, name: pe2.east, interfaces: {core: 1, transit: 20}}
- {address: 10.30.0.3, name: p1.east}
fences:
- {name: home, kinds: [core], allow_countries: [US], allow_asns: [64501], owner: core-team, ticket: CHG-9}
- {name: li-silent, zones: [li-east], direction: out, allow_countries: [DE], unknown: deny, owner: li-operations}
maintenance:
- {name: new peer, exporters: [pe2.east], from: 2026-11-18T11:00:00Z, to: 2026-11-18T12:00:00Z}
- {name: hss move, assets: [hss-1], from: 2026-11-18T13:00:00Z, to: 2026-11-18T14:00:00Z}
`

const (
	second  = time.Second
	russia  = "203.0.113.66"
	nether  = "198.51.100.13" // NL, AS64501
	germany = "192.0.2.70"    // DE, in the service lemf
	unknown = "45.0.0.1"
	mdf3    = "10.66.0.30"
	hss     = "10.40.1.10"
	pe1     = "10.30.0.1"
)

type flow = detecttest.Flow

func at(d time.Duration) time.Time { return detecttest.At(d) }

func session(src, dst string, port uint16) []flow {
	f := flow{At: at(5 * second), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: detecttest.Session, Packets: 20, Bytes: 12000}
	return []flow{f, f.Back(20, 80000)}
}

func syn(src, dst string, port uint16) flow {
	return flow{At: at(5 * second), Src: src, Dst: dst, SrcPort: 40000, DstPort: port, Flags: detecttest.SYN, Packets: 1, Bytes: 60}
}

// by are the flows as the exporter took them in by that interface.
func by(exporter string, inIf uint32, flows ...flow) []flow {
	for i := range flows {
		flows[i].Exporter, flows[i].InIf = exporter, inIf
	}
	return flows
}

func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, operator)
}

func detector(t *testing.T) detect.Detector {
	return geo.New(geo.DefaultConfig(), detecttest.Inventory(t, operator))
}
