package inventory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/inventory"
)

// zones is what the mistakes below stand after: six lines.
const zones = `zones:
- {name: li, kind: lawful-intercept, prefixes: [10.66.0.0/24], assets: [{name: admf-1, addresses: [10.66.0.10], role: admf}]}
- {name: core-east, kind: core, prefixes: [10.40.0.0/16]}
services:
  ntp: [10.20.0.20]
  lemf: 192.0.2.64/28
`

func TestMistakes(t *testing.T) {
	rule := zones + "allow:\n- name: r\n  from: any\n  to: zone:li\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"nothing", "# empty\n", ""},
		{"good", rule, ""},
		{"a number as a protocol", rule + "  protocol: 47\n", ""},
		{"a port alone", rule + "  protocol: tcp\n  ports: 443\n", ""},
		{"an anchor", rule + "  ports: &p [443]\n", ""},

		{"unknown key", "zone: []\n", `t.yaml:1:1: unknown field "zone"`},
		{"no name", "zones:\n- kind: core\n  prefixes: [10.0.0.0/8]\n", "t.yaml:2:7: zones[0].name: is missing: give the zone a name"},
		{"a name twice", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8]}\n- {name: a, kind: core, prefixes: [11.0.0.0/8]}\n",
			`t.yaml:3:10: zones[1].name: "a" is the name of zones[0] already: give each zone a name of its own`},
		{"no kind", "zones:\n- {name: a, prefixes: [10.0.0.0/8]}\n", "t.yaml:2:3: zones[0].kind: is missing: use lawful-intercept, core, management, infrastructure, or a word of your own such as customer"},
		{"a kind misspelt", "zones:\n- {name: a, kind: lawful_intercept, prefixes: [10.0.0.0/8]}\n",
			`t.yaml:2:19: zones[0].kind: "lawful_intercept" is too close to "lawful-intercept", which is protected: write that, or choose another word`},
		{"no prefixes", "zones:\n- {name: a, kind: core}\n", "t.yaml:2:3: zones[0].prefixes: is missing: list the zone's prefixes, as in [10.66.0.0/24]"},
		{"no prefix", "zones:\n- {name: a, kind: core, prefixes: [10.0/8]}\n", `t.yaml:2:36: zones[0].prefixes[0]: "10.0/8" is not a prefix: write one such as 10.66.0.0/24 or 2001:db8:66::/64`},
		{"an address as a prefix", "zones:\n- {name: a, kind: core, prefixes: 10.0.0.1}\n", `t.yaml:2:35: zones[0].prefixes: "10.0.0.1" is an address, not a prefix: write 10.0.0.1/32 for it alone`},
		{"host bits", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.1/8]}\n", `t.yaml:2:36: zones[0].prefixes[0]: "10.0.0.1/8" has bits set after its length: write 10.0.0.0/8`},
		{"mapped", "zones:\n- {name: a, kind: core, prefixes: [\"::ffff:10.0.0.0/104\"]}\n", `t.yaml:2:36: zones[0].prefixes[0]: "::ffff:10.0.0.0/104" is an IPv4 prefix in the clothes of IPv6: write it as IPv4`},
		{"one prefix in two zones", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8]}\n- {name: b, kind: core, prefixes: [10.0.0.0/8]}\n",
			`t.yaml:3:36: zones[1].prefixes[0]: 10.0.0.0/8 is a prefix of zone "a" already: remove it from one of the two`},
		{"a map as prefixes", "zones:\n- {name: a, kind: core, prefixes: {x: y}}\n", "t.yaml:2:35: is not a value or a list of values: write x or [x, y], without a space after a colon"},

		{"asset outside", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8], assets: [{name: x, addresses: [11.0.0.1]}]}\n",
			`t.yaml:2:80: zones[0].assets[0].addresses[0]: 11.0.0.1 lies outside the prefixes of zone "a": correct the address, or add a prefix that holds it`},
		{"asset in a narrower zone", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8], assets: [{name: x, addresses: 10.1.0.1}]}\n- {name: b, kind: core, prefixes: [10.1.0.0/16]}\n",
			`t.yaml:2:79: zones[0].assets[0].addresses: 10.1.0.1 lies in the narrower zone "b": list the asset there`},
		{"asset of the neighbour", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8], assets: [{name: x, addresses: 11.1.0.1}]}\n- {name: b, kind: core, prefixes: [11.0.0.0/8]}\n",
			`t.yaml:2:79: zones[0].assets[0].addresses: 11.1.0.1 lies in zone "b", outside the prefixes of "a": list the asset there, or correct the address`},
		{"address of two assets", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8], assets: [{name: x, addresses: [10.0.0.1]}, {name: y, addresses: [10.0.0.1]}]}\n",
			`t.yaml:2:114: zones[0].assets[1].addresses[0]: 10.0.0.1 is an address of asset "x" already: remove it from one of the two`},
		{"asset without address", "zones:\n- {name: a, kind: core, prefixes: [10.0.0.0/8], assets: [{name: x}]}\n", "t.yaml:2:58: zones[0].assets[0].addresses: is missing: list the asset's addresses, as in [10.66.0.10]"},
		{"scope", "zones:\n- {name: a, kind: core, prefixes: [\"fe80::/10\"], assets: [{name: x, addresses: [\"fe80::1%eth0\"]}]}\n",
			`t.yaml:2:81: zones[0].assets[0].addresses[0]: "fe80::1%eth0" has a scope, which flows do not carry: write fe80::1`},

		{"empty service", "services:\n  ntp: []\n", "t.yaml:2:8: services.ntp: is empty: list the addresses or prefixes of the service, as in [10.20.0.10]"},
		{"bad peer", "services:\n  a b: [x]\n", `t.yaml:2:9: services.'a b'[0]: "x" is not a prefix: write one such as 10.66.0.0/24 or 2001:db8:66::/64`},
		{"a service twice", "services:\n  ntp: [10.0.0.1]\n  ntp: [10.0.0.1]\n", `t.yaml:3:3: mapping key "ntp" already defined at [2:3]`},

		{"a rule without name", zones + "allow:\n- {from: any, to: any}\n", "t.yaml:8:3: allow[0].name: is missing: give the rule a name"},
		{"a rule without ends", zones + "allow:\n- name: r\n", "t.yaml:8:7: allow[0].from: is missing: write zone:NAME, kind:KIND, asset:NAME, role:NAME, service:NAME, an address, a prefix, or any\n" +
			"t.yaml:8:7: allow[0].to: is missing: write zone:NAME, kind:KIND, asset:NAME, role:NAME, service:NAME, an address, a prefix, or any"},
		{"unknown zone", zones + "allow:\n- {name: r, from: any, to: zone:l1}\n", `t.yaml:8:28: allow[0].to: no zone "l1": use one of core-east, li, or add it`},
		{"zone misspelt", zones + "allow:\n- {name: r, from: any, to: [zone:li, zone:core_east]}\n", `t.yaml:8:42: allow[0].to[1]: no zone "core_east": did you mean "core-east"?`},
		{"a space after the colon", zones + "allow:\n- {name: r, from: any, to: [zone: li]}\n", "t.yaml:8:33: is not a value or a list of values: write x or [x, y], without a space after a colon"},
		{"unknown service", zones + "allow:\n- {name: r, from: any, to: service:dns}\n", `t.yaml:8:28: allow[0].to: no service "dns": use one of lemf, ntp, or add it`},
		{"unknown role", zones + "allow:\n- {name: r, from: role:jump, to: any}\n", `t.yaml:8:19: allow[0].from: no asset with a role "jump": use one of admf, or add it`},
		{"unknown asset", zones + "allow:\n- {name: r, from: asset:admf-2, to: any}\n", `t.yaml:8:19: allow[0].from: no asset "admf-2": did you mean "admf-1"?`},
		{"unknown kind", zones + "allow:\n- {name: r, from: kind:partner, to: any}\n", `t.yaml:8:19: allow[0].from: no zone of a kind "partner": use one of core, lawful-intercept, or add it`},
		{"a bare name", zones + "allow:\n- {name: r, from: admf-1, to: any}\n", `t.yaml:8:19: allow[0].from: "admf-1" is no selector: write zone:NAME, kind:KIND, asset:NAME, role:NAME, service:NAME, an address, a prefix, or any; did you mean asset:admf-1?`},
		{"a bad prefix", zones + "allow:\n- {name: r, from: 10.0.0.0/33, to: any}\n", `t.yaml:8:19: allow[0].from: "10.0.0.0/33" is not a prefix: write one such as 10.66.0.0/24 or 2001:db8:66::/64`},
		{"protocol", rule + "  protocol: tpc\n", `t.yaml:11:13: allow[0].protocol: unknown protocol "tpc": use a name such as tcp, udp, sctp, icmp, icmpv6, gre, esp, ah, ipip or ospf, or a number from 0 to 255`},
		{"ports of gre", rule + "  protocol: gre\n  ports: [443]\n", "t.yaml:12:10: allow[0].ports: protocol gre has no ports: remove them"},
		{"port too large", rule + "  ports: [443, 70000]\n", `t.yaml:11:16: allow[0].ports[1]: "70000" is not a number or a range up to 65535: write it as in 443 or 9000-9010`},
		{"port 0", rule + "  ports: 0\n", `t.yaml:11:10: allow[0].ports: port 0 is none: remove it`},
		{"ports backwards", rule + "  ports: [9010-9000]\n", `t.yaml:11:11: allow[0].ports[0]: "9010-9000" runs backwards: write 9000-9010`},
		{"initiator", rule + "  initiator: both\n", `t.yaml:11:14: allow[0].initiator: "both" is unknown: use from (only the from end may open the conversation) or either`},
		{"schedule", rule + "  schedule: Mo-Fr 07:00-19:00 UTC\n", `t.yaml:11:13: allow[0].schedule: "Mo-Fr" are no days: use Mon, Tue, Wed, Thu, Fri, Sat and Sun, as in Mon-Fri or Mon,Wed`},
		{"time zone", rule + "  schedule: Mon 07:00-19:00 Europe/Bonn\n", `t.yaml:11:13: allow[0].schedule: unknown time zone "Europe/Bonn": use a name of the IANA time zone database, such as UTC or Europe/Berlin`},
		{"expires", rule + "  expires: 30.06.2027\n", `t.yaml:11:12: allow[0].expires: "30.06.2027" is not a date: write year, month and day, as in 2027-06-30`},

		{"exporter without address", "exporters:\n- name: pe1\n", "t.yaml:2:7: exporters[0].address: is missing: write an address such as 10.66.0.10 or 2001:db8:66::10"},
		{"exporter twice", "exporters:\n- address: 10.0.0.1\n- address: 10.0.0.1\n", "t.yaml:3:12: exporters[1].address: 10.0.0.1 is the address of exporters[0] already: list each exporter once"},
		{"exporter name twice", "exporters:\n- {address: 10.0.0.1, name: a}\n- {address: 10.0.0.2, name: a}\n", `t.yaml:3:29: exporters[1].name: "a" is the name of exporters[0] already: give each exporter a name of its own`},
		{"platform", "exporters:\n- {address: 10.0.0.1, platform: ios}\n", `t.yaml:2:33: exporters[0].platform: "ios" is no platform that tapwatch knows commands of: use one of ios-xe, ios-xr, junos, sr-os, routeros, or leave it out`},
		{"sampling", "exporters:\n- {address: 10.0.0.1, sampling: -1}\n", "t.yaml:2:33: cannot unmarshal -1 into Go value of type uint32 ( overflow )"},
		{"interface of two roles", "exporters:\n- {address: 10.0.0.1, interfaces: {core: [1-5], peering: [5]}}\n", `t.yaml:2:59: exporters[0].interfaces.peering[0]: index 5 has the role "core" already: give each interface one role`},

		{"tunnel of one end", "tunnels:\n- {endpoints: [10.0.0.1], protocol: gre}\n", "t.yaml:2:15: tunnels[0].endpoints: has 1 addresses: write the two ends, as in [10.30.0.1, 10.30.0.2]"},
		{"tunnel to itself", "tunnels:\n- {endpoints: [10.0.0.1, 10.0.0.1], protocol: gre}\n", "t.yaml:2:15: tunnels[0].endpoints: names one address twice: write the two ends of the tunnel"},
		{"tunnel without protocol", "tunnels:\n- {endpoints: [10.0.0.1, 10.0.0.2]}\n", "t.yaml:2:3: tunnels[0].protocol: is missing: write gre, ipip, esp, ah, l2tp, udp or a number"},

		{"maintenance of nothing", "maintenance:\n- {name: m, from: 2026-12-01T01:00:00Z, to: 2026-12-01T03:00:00Z}\n", "t.yaml:2:3: maintenance[0]: names nothing: list exporters, zones or assets"},
		{"maintenance backwards", "maintenance:\n- {name: m, exporters: [10.0.0.1], from: 2026-12-01T03:00:00Z, to: 2026-12-01T01:00:00Z}\n",
			"t.yaml:2:68: maintenance[0].to: 2026-12-01T01:00:00Z is not after from, 2026-12-01T03:00:00Z: swap or correct them"},
		{"maintenance time", "maintenance:\n- {name: m, exporters: [10.0.0.1], from: 2026-12-01T01:00, to: 2026-12-01T03:00:00Z}\n",
			`t.yaml:2:42: maintenance[0].from: "2026-12-01T01:00" is not a time with a zone: write it as in 2026-12-01T01:00:00Z`},
		{"maintenance of an unknown exporter", "maintenance:\n- {name: m, exporters: [pe9], from: 2026-12-01T01:00:00Z, to: 2026-12-01T03:00:00Z}\n",
			`t.yaml:2:25: maintenance[0].exporters[0]: no exporter "pe9": the inventory has no exporter yet: add it first`},
		{"maintenance of an unknown zone", zones + "maintenance:\n- {name: m, zones: [lii], assets: nms, from: 2026-12-01T01:00:00Z, to: 2026-12-01T03:00:00Z}\n",
			"t.yaml:8:21: maintenance[0].zones[0]: no zone \"lii\": did you mean \"li\"?\n" +
				"t.yaml:8:35: maintenance[0].assets: no asset \"nms\": use one of admf-1, or add it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if _, err := inventory.Parse("t.yaml", []byte(c.yaml)); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
