package inventory_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/inventory"
)

// monday is a working day, at noon UTC, before every rule of the example ends.
var monday = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func tcp(client, server string, port uint16) inventory.Conversation {
	return inventory.Conversation{Client: addr(client), Server: addr(server), Protocol: flow.ProtocolTCP, Port: port, At: monday, InitiatorKnown: true}
}

func at(c inventory.Conversation, t time.Time) inventory.Conversation { c.At = t; return c }

func guessed(c inventory.Conversation) inventory.Conversation { c.InitiatorKnown = false; return c }

func over(c inventory.Conversation, protocol uint8) inventory.Conversation {
	c.Protocol = protocol
	return c
}

const (
	admf, mdf2, poi, jump, lemf, ntp, stranger = "10.66.0.10", "10.66.0.20", "10.40.2.10", "10.20.0.5", "192.0.2.65", "10.20.0.20", "198.51.100.7"
)

func TestAllowed(t *testing.T) {
	v := example(t)
	sunday := monday.AddDate(0, 0, -1)
	expired := time.Date(2027, 7, 1, 12, 0, 0, 0, time.UTC) // a Thursday
	for _, c := range []struct {
		name string
		c    inventory.Conversation
		want string
	}{
		{"role to role", tcp(admf, poi, 443), "x1-tasking"},
		{"in the range", tcp(admf, mdf2, 9005), "x1-tasking"},
		{"above the range", tcp(admf, mdf2, 9011), ""},
		{"initiator either, reversed", tcp(poi, admf, 8443), "x1-tasking"},
		{"initiator from, reversed", tcp(mdf2, poi, 8890), ""},
		{"reversed and initiator unknown", guessed(tcp(mdf2, poi, 8890)), "x2-x3-delivery"},
		{"another protocol", over(tcp(poi, mdf2, 8890), flow.ProtocolUDP), ""},
		{"service", tcp(mdf2, lemf, 443), "handover-to-agencies"},
		{"service, mapped", tcp("::ffff:"+mdf2, "::ffff:"+lemf, 443), "handover-to-agencies"},
		{"beside the service", tcp(mdf2, "192.0.2.80", 443), ""},
		{"zone as an end", over(tcp("10.66.0.99", ntp, 123), flow.ProtocolUDP), "li-time"},
		{"schedule holds", tcp(jump, mdf2, 22), "li-administration"},
		{"schedule does not", at(tcp(jump, mdf2, 22), sunday), ""},
		{"last day", at(tcp(jump, mdf2, 22), time.Date(2027, 6, 30, 18, 59, 0, 0, time.UTC)), "li-administration"},
		{"ended", at(tcp(jump, mdf2, 22), expired), ""},
		{"a stranger", tcp(stranger, mdf2, 443), ""},
		{"nobody", inventory.Conversation{Protocol: flow.ProtocolTCP, Port: 443, At: monday}, ""},
	} {
		rule, ok := v.Allowed(c.c)
		if rule != c.want || ok != (c.want != "") {
			t.Errorf("%s: rule %q, ok %v, want %q", c.name, rule, ok, c.want)
		}
	}
	if _, ok := new(inventory.Inventory).Allowed(tcp(admf, poi, 443)); ok {
		t.Error("the zero inventory allows")
	}
}

func TestAllowedSelectors(t *testing.T) {
	v := parse(t, `
zones:
- {name: outer, kind: core, prefixes: [10.0.0.0/8]}
- {name: inner, kind: lawful-intercept, prefixes: [10.66.0.0/24]}
allow:
- {name: by-zone, from: zone:outer, to: any, protocol: 200}
- {name: by-kind, from: "kind:lawful-intercept", to: 198.51.100.7, protocol: gre}
- {name: by-prefix, from: [192.0.2.0/24, "2001:db8::/32"], to: any}
`)
	for _, c := range []struct {
		name, client, server string
		protocol             uint8
		want                 string
	}{
		{"zone", "10.1.0.1", stranger, 200, "by-zone"},
		{"the inner zone is not the outer one", "10.66.0.1", stranger, 200, ""},
		{"kind to address", "10.66.0.1", stranger, flow.ProtocolGRE, "by-kind"},
		{"kind to another address", "10.66.0.1", "198.51.100.8", flow.ProtocolGRE, ""},
		{"prefix of IPv4", "192.0.2.9", stranger, 1, "by-prefix"},
		{"prefix of IPv6", "2001:db8::9", stranger, 1, "by-prefix"},
		{"any is any", "2001:db8::9", "2001:db9::9", 58, "by-prefix"},
	} {
		got, _ := v.Allowed(inventory.Conversation{Client: addr(c.client), Server: addr(c.server), Protocol: c.protocol, At: monday, InitiatorKnown: true})
		if got != c.want {
			t.Errorf("%s: rule %q, want %q", c.name, got, c.want)
		}
	}
}

func TestExplain(t *testing.T) {
	v := example(t)
	sunday := monday.AddDate(0, 0, -1)
	for _, c := range []struct {
		name string
		c    inventory.Conversation
		want []string
	}{
		{"allowed", tcp(admf, poi, 443), nil},
		{"port", tcp(poi, mdf2, 4433), []string{"rule x2-x3-delivery allows ports 8890, 8891, not 4433"}},
		{"time", at(tcp(jump, mdf2, 22), sunday), []string{"rule li-administration holds Mon-Fri 07:00-19:00 UTC, and it was Sun 12:00 UTC"}},
		{"time and port", at(tcp(jump, mdf2, 23), sunday), []string{"rule li-administration allows ports 22, 443, not 23; it holds Mon-Fri 07:00-19:00 UTC, and it was Sun 12:00 UTC"}},
		{"expiry", at(tcp(jump, mdf2, 22), time.Date(2027, 7, 1, 12, 0, 0, 0, time.UTC)), []string{"rule li-administration ended 2027-06-30"}},
		{"who opened it", tcp(mdf2, poi, 8890), []string{"rule x2-x3-delivery lets only role:poi open it, and mdf2-1 (10.66.0.20) did"}},
		{"protocol", over(tcp(poi, mdf2, 8890), flow.ProtocolSCTP), []string{"rule x2-x3-delivery allows tcp, not sctp port 8890"}},
		{"one end", tcp(stranger, mdf2, 443), []string{
			"rule x1-tasking lets only role:admf reach mdf2-1 (10.66.0.20), not 198.51.100.7",
			"rule li-administration lets only asset:jump-1 reach mdf2-1 (10.66.0.20), not 198.51.100.7",
			"rule x2-x3-delivery lets only role:poi reach mdf2-1 (10.66.0.20), not 198.51.100.7; it allows ports 8890, 8891, not 443",
		}},
		{"the other end", tcp(mdf2, stranger, 443), []string{
			"rule handover-to-agencies lets mdf2-1 (10.66.0.20) reach only service:lemf, not 198.51.100.7",
			"rule x1-tasking joins mdf2-1 (10.66.0.20) only with role:admf, not 198.51.100.7",
			"rule li-time lets mdf2-1 (10.66.0.20) reach only service:ntp, not 198.51.100.7; it allows udp, not tcp port 443",
		}},
		{"a stranger", tcp(stranger, "10.40.1.10", 443), []string{"no allow rule is about 198.51.100.7 or hss-1 (10.40.1.10)"}},
	} {
		if diff := cmp.Diff(c.want, v.Explain(c.c)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestWarnings(t *testing.T) {
	v := parse(t, `
zones: [{name: a, kind: customer, prefixes: [10.0.0.0/8]}]
allow:
- {name: all, from: any, to: any}
- {name: old, from: zone:a, to: any, expires: 2026-11-22}
- {name: current, from: zone:a, to: any, expires: 2026-11-23}
`)
	want := []string{
		"no zone is protected, so nothing is watched: give a zone the kind lawful-intercept, core, management or infrastructure",
		"rule all is from any to any, which undoes default-deny: name one end",
		"rule old ended 2026-11-22 and allows nothing: renew or remove it",
	}
	if diff := cmp.Diff(want, v.Warnings(monday)); diff != "" {
		t.Error(diff)
	}
	if w := example(t).Warnings(monday); w != nil {
		t.Errorf("the example has warnings: %q", w)
	}
}

func BenchmarkAllowed(b *testing.B) {
	v := example(b)
	c := over(tcp(admf, ntp, 123), flow.ProtocolUDP)
	b.ReportAllocs()
	for b.Loop() {
		v.Allowed(c)
	}
}

// TestAllowedOnceReversed holds what the orientation means: a conversation whose
// initiator is unknown is allowed exactly if one of its two orientations is.
func TestAllowedOnceReversed(t *testing.T) {
	v := example(t)
	ends := []string{admf, mdf2, poi, jump, lemf, ntp, stranger, "10.66.0.99"}
	for _, client := range ends {
		for _, server := range ends {
			for _, port := range []uint16{22, 123, 443, 8890, 9001} {
				forth, back := tcp(client, server, port), tcp(server, client, port)
				_, okForth := v.Allowed(forth)
				_, okBack := v.Allowed(back)
				if _, ok := v.Allowed(guessed(forth)); ok != (okForth || okBack) {
					t.Errorf("%s to %s port %d: %v, orientations %v and %v", client, server, port, ok, okForth, okBack)
				}
			}
		}
	}
}

func TestConversationWithoutAddresses(t *testing.T) {
	c := inventory.Conversation{Client: netip.Addr{}, Server: addr(mdf2), At: monday}
	if lines := example(t).Explain(c); len(lines) == 0 {
		t.Error("nothing explained")
	}
}
