package firstseen_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/firstseen"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// carrier is the inventory of these tests.
const carrier = `
zones:
  - name: li-east
    kind: lawful-intercept
    prefixes: [10.66.0.0/24]
    assets:
      - {name: mdf3-1, addresses: [10.66.0.30], role: mdf3}
  - name: core-east
    kind: core
    prefixes: [10.40.0.0/16]
    assets:
      - {name: db-1, addresses: [10.40.1.1], role: database}
      - {name: db-2, addresses: [10.40.1.2], role: database}
      - {name: db-3, addresses: [10.40.1.3], role: database}
      - {name: db-4, addresses: [10.40.1.4], role: database}
      - {name: db-5, addresses: [10.40.1.5], role: database}
      - {name: db-6, addresses: [10.40.1.6], role: database}
      - {name: amf-1, addresses: [10.40.2.1], role: amf}
  - name: core-new
    kind: core
    prefixes: [10.42.0.0/16]
    assets:
      - {name: new-1, addresses: [10.42.1.1], role: database}
  - name: core-west
    kind: core
    prefixes: [10.41.0.0/16]
  - name: management
    kind: management
    prefixes: [10.20.0.0/24]
    assets:
      - {name: jump-1, addresses: [10.20.0.5], role: jump}
      - {name: jump-2, addresses: [10.20.0.6], role: jump}
      - {name: nms-1, addresses: [10.20.0.40], role: nms}
  - {name: desks, kind: office, prefixes: [10.21.0.0/16]}
  - {name: radio, kind: radio-access, prefixes: [10.50.0.0/16]}

allow:
  - {name: operations, from: "kind:core", to: "kind:core", protocol: tcp, ports: [443], owner: operations}
  - {name: backup, from: 10.41.7.7, to: "zone:core-east", protocol: tcp, ports: [22], owner: storage}

exporters:
  - {address: 10.30.0.1, name: pe1.east}
  - {address: 10.30.0.2, name: p1.east}
`

func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, carrier)
}

func detector(t *testing.T) detect.Detector {
	return firstseen.New(firstseen.DefaultConfig(), detecttest.Inventory(t, carrier))
}

// usual is traffic of the past: server was asked by client at those hours.
type usual struct {
	client, server string
	protocol       uint8
	port           uint16
	asn            uint32
	country        string
	hours          []time.Duration // before the beginning of the tests
}

// each gives the hours that lie so far apart, from the one so long ago up to another.
func each(apart, from, until time.Duration) (hours []time.Duration) {
	for ago := from; ago >= until; ago -= apart {
		hours = append(hours, ago)
	}
	return hours
}

const day = 24 * time.Hour

// past puts usual traffic into the history.
func past(t *testing.T, s *detecttest.Stage, all ...usual) {
	t.Helper()
	inv := detecttest.Inventory(t, carrier)()
	for _, u := range all {
		client, server := netip.MustParseAddr(u.client), netip.MustParseAddr(u.server)
		asset, peer, serves, initiator := server, client, true, "peer"
		if inv.Lookup(server).Zone == "" {
			asset, peer, serves, initiator = client, server, false, "asset"
		}
		a, p := inv.Lookup(asset), inv.Lookup(peer)
		key := a.Asset
		if key == "" {
			key = asset.String()
		}
		var at []string
		for _, ago := range u.hours {
			at = append(at, fmt.Sprint(detecttest.At(-ago).Unix()))
		}
		query := fmt.Sprintf(`INSERT INTO pair_hours (hour, asset, asset_addr, peer_addr, protocol, port, asset_serves, initiator,
			asset_name, asset_zone, asset_zone_kind, asset_role, peer_name, peer_zone, peer_zone_kind, peer_role, peer_country, peer_asn,
			active, established, answered, begun, flows, bytes_in, bytes_out, least_sampling, exporters, first_seen, last_seen)
			SELECT toDateTime(arrayJoin([%s]), 'UTC') AS h, '%s', toIPv6('%s'), toIPv6('%s'), %d, %d, %t, '%s',
			'%s', '%s', '%s', '%s', '%s', '%s', '%s', '%s', '%s', %d, 1, 1, 1, 1, 2, 1000, 1000, 1, 1, h, h`,
			strings.Join(at, ","), key, asset, peer, u.protocol, u.port, serves, initiator,
			a.Asset, a.Zone, a.Kind, a.Role, p.Asset, p.Zone, p.Kind, p.Role, u.country, u.asn)
		if err := s.Store().Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// habits are three weeks of a carrier.
func habits(t *testing.T, s *detecttest.Stage) {
	var all []usual
	hourly, daily := each(time.Hour, 21*day, time.Hour), each(day, 21*day, day)
	for i := range 8 {
		all = append(all, usual{client: fmt.Sprintf("10.50.1.%d", i+1), server: "10.40.2.1", protocol: 132, port: 38412, hours: hourly})
	}
	for i := range 6 {
		db := fmt.Sprintf("10.40.1.%d", i+1)
		all = append(all,
			usual{client: "10.20.0.5", server: db, protocol: 6, port: 22, hours: daily},
			usual{client: "10.20.0.40", server: db, protocol: 17, port: 161, hours: hourly},
			usual{client: db, server: "203.0.113.66", protocol: 6, port: 443, asn: 64500, country: "RU", hours: daily})
	}
	all = append(all,
		usual{client: "10.21.0.5", server: "10.20.0.5", protocol: 6, port: 22, hours: daily},
		usual{client: "10.21.0.6", server: "10.20.0.5", protocol: 6, port: 22, hours: daily},
		usual{client: "10.20.0.5", server: "10.42.1.1", protocol: 6, port: 22, hours: each(day, 10*day, day)},
		usual{client: "10.41.9.1", server: "10.40.1.4", protocol: 6, port: 22, hours: []time.Duration{20 * day}},
		usual{client: "10.41.9.2", server: "10.40.1.4", protocol: 6, port: 22, hours: []time.Duration{40 * day}})
	past(t, s, all...)
}
