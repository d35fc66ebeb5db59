package inventory_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/inventory"
)

const fenced = `
zones:
- {name: li, kind: lawful-intercept, prefixes: [10.66.0.0/24]}
- {name: core-east, kind: core, prefixes: [10.40.0.0/16], assets: [{name: hss-1, addresses: 10.40.1.10, role: hss}]}
- {name: routers, kind: infrastructure, prefixes: [10.30.0.0/24]}
services: {partner: [192.0.2.0/28]}
allow:
- {name: from-anywhere, from: any, to: zone:core-east, protocol: tcp, ports: 5060}
- {name: roaming, from: zone:core-east, to: service:partner, protocol: sctp, ports: 3868, initiator: either}
- {name: approval-7, from: 203.0.113.9, to: asset:hss-1, protocol: tcp, ports: 22, expires: 2026-12-01}
fences:
- {name: home, zones: core-east, allow_countries: [US, CA], allow_asns: [AS64500], owner: core-team, ticket: CHG-9}
- {name: no-calls, kinds: [infrastructure, lawful-intercept], direction: out, deny_countries: [RU], deny_asns: 64666}
- {name: strict, zones: [li], direction: in, allow_asns: [64501], unknown: deny}
`

func TestBrokenFence(t *testing.T) {
	v := parse(t, fenced)
	at := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		crossing inventory.Crossing
		want     string
	}{
		{"an allowed country", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "CA", ASN: 1, Opened: "out"}, ""},
		{"another country", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 1, Opened: "out"},
			"home: neither RU nor AS1 is among what it allows: US, CA, AS64500"},
		{"another country, an allowed network", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 64500, Opened: "in"}, ""},
		{"nobody knows where", inventory.Crossing{Zone: "core-east", Kind: "core", Opened: "in"}, ""},
		{"half known", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU"}, ""},
		{"allowed by a rule from any, which opens no fence", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 1, Opened: "in", Protocol: 6, Port: 5060},
			"home: neither RU nor AS1 is among what it allows: US, CA, AS64500"},
		{"approved by name", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 1, Opened: "in", Protocol: 6, Port: 22, Outside: addr("203.0.113.9")}, ""},
		{"approved, the other way around", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 1, Opened: "out", Protocol: 6, Port: 22, Outside: addr("203.0.113.9")},
			"home: neither RU nor AS1 is among what it allows: US, CA, AS64500"},
		{"approved, and ended", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 1, Opened: "in", Protocol: 6, Port: 22, Outside: addr("203.0.113.9"), At: at.AddDate(0, 1, 0)},
			"home: neither RU nor AS1 is among what it allows: US, CA, AS64500"},
		{"a listed partner", inventory.Crossing{Zone: "core-east", Kind: "core", Country: "RU", ASN: 1, Opened: "in", Protocol: 132, Port: 3868, Outside: addr("192.0.2.1")}, ""},
		{"a denied country", inventory.Crossing{Zone: "routers", Kind: "infrastructure", Country: "RU", Opened: "out"}, "no-calls: RU is among the countries it denies"},
		{"a denied country, opened from there", inventory.Crossing{Zone: "routers", Kind: "infrastructure", Country: "RU", Opened: "in"}, ""},
		{"a denied country, nobody knows who opened it", inventory.Crossing{Zone: "routers", Kind: "infrastructure", Country: "RU"}, "no-calls: RU is among the countries it denies"},
		{"a denied network", inventory.Crossing{Zone: "routers", Kind: "infrastructure", Country: "US", ASN: 64666, Opened: "out"}, "no-calls: AS64666 is among the networks it denies"},
		{"nothing denied", inventory.Crossing{Zone: "routers", Kind: "infrastructure", Country: "US", ASN: 64667, Opened: "out"}, ""},
		{"an unknown network", inventory.Crossing{Zone: "li", Kind: "lawful-intercept", Country: "US", Opened: "in"}, "strict: where it is, is not known, and it allows only AS64501"},
		{"another network", inventory.Crossing{Zone: "li", Kind: "lawful-intercept", ASN: 5, Opened: "in"}, "strict: AS5 is not among the networks it allows: AS64501"},
		{"the first of two", inventory.Crossing{Zone: "li", Kind: "lawful-intercept", Country: "RU"}, "no-calls: RU is among the countries it denies"},
		{"no zone", inventory.Crossing{Country: "RU"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.crossing.At.IsZero() {
				c.crossing.At = at
			}
			c.crossing.Inside = addr("10.40.1.10")
			if !c.crossing.Outside.IsValid() {
				c.crossing.Outside = addr("203.0.113.66")
			}
			got := ""
			if f, reason, broken := v.BrokenFence(c.crossing); broken {
				got = f.Name + ": " + reason
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if f := v.Fences[0]; f.Owner != "core-team" || f.Ticket != "CHG-9" || f.Direction != inventory.FenceAny || f.DenyUnknown {
		t.Errorf("read %+v", f)
	}
	if _, _, broken := new(inventory.Inventory).BrokenFence(inventory.Crossing{Inside: addr("10.0.0.1"), Zone: "li", Country: "RU"}); broken {
		t.Error("an inventory without fences has one broken")
	}
}

func TestAllowsAddress(t *testing.T) {
	v := parse(t, fenced)
	at := time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		client, server, outer string
		protocol              uint8
		port                  uint16
		want                  string
	}{
		{"203.0.113.9", "10.40.1.10", "203.0.113.9", 6, 22, "approval-7"},
		{"203.0.113.9", "10.40.1.10", "203.0.113.9", 6, 23, ""},
		{"203.0.113.9", "10.40.1.11", "203.0.113.9", 6, 22, ""},
		{"203.0.113.10", "10.40.1.10", "203.0.113.10", 6, 5060, ""},
		{"192.0.2.1", "10.40.1.10", "192.0.2.1", 132, 3868, ""}, // a service is more than one address
	} {
		asked := inventory.Conversation{Client: addr(c.client), Server: addr(c.server), Protocol: c.protocol, Port: c.port, At: at, InitiatorKnown: true}
		if got, _ := v.AllowsAddress(asked, addr(c.outer)); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestAttaches(t *testing.T) {
	v := parse(t, `
zones: [{name: mgmt, kind: management, prefixes: [10.20.0.0/24]}]
exporters: [{address: 10.30.0.1, interfaces: {customer: 100-199}, attached: {mgmt: [101, 150-160]}}]
`)
	e, _ := v.Exporter(netip.MustParseAddr("10.30.0.1"))
	for index, want := range map[uint32]bool{100: false, 101: true, 102: false, 150: true, 160: true, 161: false} {
		if e.Attaches("mgmt", index) != want || e.Attaches("other", index) {
			t.Errorf("interface %d: attached %t, want %t", index, !want, want)
		}
	}
}

func TestFenceMistakes(t *testing.T) {
	const fence = zones + "fences:\n- name: f\n  zones: li\n"
	for _, c := range []struct{ name, yaml, want string }{
		{"good", fence + "  deny_countries: [NO, XK]\n  direction: in\n", ""},
		{"no name", zones + "fences:\n- {zones: li, deny_asns: 1}\n", "t.yaml:8:3: fences[0].name: is missing: give the fence a name"},
		{"a name twice", zones + "fences:\n- {name: f, zones: li, deny_asns: 1}\n- {name: f, zones: li, deny_asns: 1}\n",
			`t.yaml:9:10: fences[1].name: "f" is the name of fences[0] already: give each fence a name of its own`},
		{"around nothing", zones + "fences:\n- {name: f, deny_asns: 1}\n", "t.yaml:8:3: fences[0]: stands around nothing: list zones or kinds"},
		{"unknown zone", zones + "fences:\n- {name: f, zones: [core_east], deny_asns: 1}\n", `t.yaml:8:21: fences[0].zones[0]: no zone "core_east": did you mean "core-east"?`},
		{"unknown kind", zones + "fences:\n- {name: f, kinds: management, deny_asns: 1}\n", `t.yaml:8:20: fences[0].kinds: no zone of a kind "management": use one of core, lawful-intercept, or add it`},
		{"no lists", fence, "t.yaml:8:7: fences[0]: lets everything pass: list allow_countries, deny_countries, allow_asns or deny_asns"},
		{"direction", fence + "  deny_asns: 1\n  direction: inbound\n", `t.yaml:11:14: fences[0].direction: "inbound" is unknown: use out (opened from inside), in (opened from outside) or any`},
		{"small letters", fence + "  allow_countries: [us]\n", `t.yaml:10:21: fences[0].allow_countries[0]: "us" is not how countries are written: write US`},
		{"the United Kingdom", fence + "  allow_countries: UK\n", `t.yaml:10:20: fences[0].allow_countries: "UK" is no country of ISO 3166-1: write GB`},
		{"no country", fence + "  allow_countries: [Germany, 'D ']\n", `t.yaml:10:21: fences[0].allow_countries[0]: "Germany" is no country of ISO 3166-1: write its two letters, as in US` + "\n" +
			`t.yaml:10:30: fences[0].allow_countries[1]: "D " is no country of ISO 3166-1: write its two letters, as in US`},
		{"a country twice", fence + "  allow_countries: [US, CA, US]\n", `t.yaml:10:29: fences[0].allow_countries[2]: US stands in fences[0].allow_countries[0] already: remove it from one of the two`},
		{"allowed and denied", fence + "  allow_countries: [US]\n  deny_countries: US\n", `t.yaml:11:19: fences[0].deny_countries: US stands in fences[0].allow_countries[0] already: remove it from one of the two`},
		{"a network twice", fence + "  allow_asns: [64500]\n  deny_asns: [AS64500]\n", `t.yaml:11:15: fences[0].deny_asns[0]: AS64500 stands in fences[0].allow_asns[0] already: remove it from one of the two`},
		{"no network", fence + "  deny_asns: [0, -1, 4294967296, ASX]\n", `t.yaml:10:15: fences[0].deny_asns[0]: "0" is no number of an autonomous system: write it as in 64500` + "\n" +
			`t.yaml:10:18: fences[0].deny_asns[1]: "-1" is no number of an autonomous system: write it as in 64500` + "\n" +
			`t.yaml:10:22: fences[0].deny_asns[2]: "4294967296" is no number of an autonomous system: write it as in 64500` + "\n" +
			`t.yaml:10:34: fences[0].deny_asns[3]: "ASX" is no number of an autonomous system: write it as in 64500`},
		{"unknown", fence + "  allow_asns: [1]\n  unknown: yes\n", `t.yaml:11:12: fences[0].unknown: "yes" is unknown: use allow or deny`},
		{"unknown without effect", fence + "  deny_asns: [1]\n  unknown: deny\n",
			"t.yaml:11:12: fences[0].unknown: there is nothing that the fence allows, so an unknown place passes: list allow_countries or allow_asns, or remove it"},
		{"attached to an unknown zone", zones + "exporters:\n- {address: 10.0.0.1, attached: {l1: 5}}\n", `t.yaml:8:38: exporters[0].attached.l1: no zone "l1": use one of core-east, li, or add it`},
		{"attached to nothing", zones + "exporters:\n- {address: 10.0.0.1, attached: {li: []}}\n", "t.yaml:8:38: exporters[0].attached.li: is empty: list the interfaces that the zone hangs on, as in [10, 20-29]"},
		{"attached backwards", zones + "exporters:\n- {address: 10.0.0.1, attached: {li: [9-5]}}\n", `t.yaml:8:39: exporters[0].attached.li[0]: "9-5" runs backwards: write 5-9`},
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
