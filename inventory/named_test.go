package inventory_test

import (
	"net/netip"
	"testing"
	"time"

	"tapwatch/inventory"
)

const namingRules = `
zones:
  - {name: core, kind: core, prefixes: [10.40.0.0/16], assets: [{name: hss-1, addresses: [10.40.1.1], role: hss}]}
  - {name: management, kind: management, prefixes: [10.20.0.0/16], assets: [{name: jump-1, addresses: [10.20.0.5], role: jump}]}
services: {tools: [10.20.7.0/28]}
allow:
  - {name: operations, from: "kind:management", to: "zone:core", protocol: tcp, ports: [22]}
  - {name: jump, from: "asset:jump-1", to: "zone:core", protocol: tcp, ports: [20-30]}
  - {name: tools, from: "service:tools", to: "role:hss", protocol: tcp, ports: [443], initiator: either}
  - {name: subnet, from: 10.20.9.0/24, to: any, protocol: tcp, ports: [830], schedule: "Mon-Fri 07:00-19:00 UTC"}
  - {name: half, from: 10.20.128.0/17, to: 10.40.1.1, protocol: udp}
  - {name: old, from: 10.20.3.3, to: "zone:core", protocol: tcp, ports: [22], expires: 2026-11-01}
`

func TestAllowsByName(t *testing.T) {
	inv, err := inventory.Parse("inventory.yaml", []byte(namingRules))
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		client, server string
		protocol       uint8
		port           uint16
		at             time.Time
		want           [2]bool
	}{
		{"10.20.1.1", "10.40.1.1", 6, 22, day, [2]bool{false, false}},   // a crowd
		{"10.20.0.5", "10.40.1.1", 6, 22, day, [2]bool{true, false}},    // named by the second rule
		{"10.20.0.5", "10.40.1.1", 6, 31, day, [2]bool{false, false}},   // not allowed
		{"10.20.7.3", "10.40.1.1", 6, 443, day, [2]bool{true, true}},    // both named
		{"10.40.1.1", "10.20.7.3", 6, 443, day, [2]bool{true, true}},    // the other way around
		{"10.40.1.1", "10.20.0.5", 6, 22, day, [2]bool{false, false}},   // which the first does not allow
		{"10.20.9.9", "203.0.113.1", 6, 830, day, [2]bool{true, false}}, // a subnet is a name
		{"10.20.9.9", "203.0.113.1", 6, 830, day.Add(12 * time.Hour), [2]bool{false, false}},
		{"10.20.200.1", "10.40.1.1", 17, 9, day, [2]bool{false, true}}, // half a network is a crowd
		{"10.20.3.3", "10.40.1.2", 6, 22, day, [2]bool{false, false}},  // the rule that named it has ended
	} {
		asked := inventory.Conversation{Client: netip.MustParseAddr(c.client), Server: netip.MustParseAddr(c.server),
			Protocol: c.protocol, Port: c.port, At: c.at, InitiatorKnown: true}
		client, server := inv.AllowsByName(asked)
		if got := [2]bool{client, server}; got != c.want {
			t.Errorf("%s to %s, %d/%d: %v, want %v", c.client, c.server, c.protocol, c.port, got, c.want)
		}
	}
}
