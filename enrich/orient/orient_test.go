package orient_test

import (
	"net/netip"
	"testing"

	"tapwatch/enrich"
	"tapwatch/enrich/enrichtest"
	"tapwatch/enrich/orient"
	"tapwatch/flow"
	"tapwatch/inventory"
)

const example = "../../inventory.example.yaml"

func live(t testing.TB) *inventory.Live {
	t.Helper()
	v, err := inventory.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return inventory.NewLive(v)
}

func TestConformance(t *testing.T) {
	known := []enrichtest.Record{
		{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("2001:db8::1"), SrcPort: 50000, DstPort: 443, Protocol: flow.ProtocolTCP},
	}
	t.Run("table", func(t *testing.T) {
		enrichtest.Run(t, enrichtest.Suite{
			New:     func(testing.TB) enrich.Enricher { return orient.New() },
			Columns: []string{"initiator"},
			Known:   known,
		})
	})
	t.Run("inventory", func(t *testing.T) {
		inv := live(t)
		enrichtest.Run(t, enrichtest.Suite{
			New:     func(testing.TB) enrich.Enricher { return orient.ForInventory(inv.Load) },
			Reload:  func(enrich.Enricher) error { return inv.Reload(example) },
			Columns: []string{"initiator"},
			Known:   known,
		})
	})
}

const (
	syn = 0x02
	ack = 0x10
	all = 0x1b // FIN, SYN, PSH, ACK: a whole conversation, either side
)

func TestInitiator(t *testing.T) {
	const unknown, src, dst = flow.InitiatorUnknown, flow.InitiatorSrc, flow.InitiatorDst
	for _, c := range []struct {
		name     string
		r        enrichtest.Record
		alone    int8 // by the table alone
		withRule int8 // by the table and the example's allow rules
	}{
		{"syn alone", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: syn, SrcPort: 443, DstPort: 50000}, src, src},
		{"syn and reset", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: syn | 4, SrcPort: 50000, DstPort: 50001}, src, src},
		{"whole conversation to a service", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 50000, DstPort: 22}, src, src},
		{"whole conversation from a service", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 22, DstPort: 50000}, dst, dst},
		{"no flags", enrichtest.Record{Protocol: flow.ProtocolTCP, SrcPort: 50000, DstPort: 179}, src, src},
		{"known above 1023", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 50000, DstPort: 57722}, src, src},
		{"low but not in the table", enrichtest.Record{Protocol: flow.ProtocolUDP, SrcPort: 700, DstPort: 50000}, dst, dst},
		{"known against low", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 1022, DstPort: 22}, src, src},
		{"both ephemeral", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 50000, DstPort: 40000}, unknown, unknown},
		{"both known", enrichtest.Record{Protocol: flow.ProtocolUDP, SrcPort: 53, DstPort: 161}, unknown, unknown},
		{"equal ports", enrichtest.Record{Protocol: flow.ProtocolUDP, SrcPort: 123, DstPort: 123}, unknown, unknown},
		{"port of a rule", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 8890, DstPort: 50000}, unknown, dst},
		{"port in the range of a rule", enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: all, SrcPort: 50000, DstPort: 9007}, unknown, src},
		{"port of a rule, other protocol", enrichtest.Record{Protocol: flow.ProtocolUDP, SrcPort: 8890, DstPort: 50000}, unknown, unknown},
		{"sctp", enrichtest.Record{Protocol: flow.ProtocolSCTP, SrcPort: 50000, DstPort: 3868}, src, src},
		{"gre", enrichtest.Record{Protocol: flow.ProtocolGRE}, unknown, unknown},
		{"ping", enrichtest.Record{Protocol: flow.ProtocolICMP, ICMPType: 8}, src, src},
		{"pong, or nothing reported", enrichtest.Record{Protocol: flow.ProtocolICMP}, unknown, unknown},
		{"timestamp reply", enrichtest.Record{Protocol: flow.ProtocolICMP, ICMPType: 14}, dst, dst},
		{"unreachable", enrichtest.Record{Protocol: flow.ProtocolICMP, ICMPType: 3}, unknown, unknown},
		{"ping 6", enrichtest.Record{Protocol: flow.ProtocolICMPv6, ICMPType: 128}, src, src},
		{"pong 6", enrichtest.Record{Protocol: flow.ProtocolICMPv6, ICMPType: 129}, dst, dst},
		{"neighbour", enrichtest.Record{Protocol: flow.ProtocolICMPv6, ICMPType: 135}, unknown, unknown},
	} {
		b := enrichtest.Batch(c.r)
		orient.New().Enrich(b)
		if b.Initiator[0] != c.alone {
			t.Errorf("%s: %d by the table, want %d", c.name, b.Initiator[0], c.alone)
		}
		orient.ForInventory(live(t).Load).Enrich(b)
		if b.Initiator[0] != c.withRule {
			t.Errorf("%s: %d by the rules, want %d", c.name, b.Initiator[0], c.withRule)
		}
	}
}

// TestWideRange holds that a range for dynamic ports names no services.
func TestWideRange(t *testing.T) {
	v, err := inventory.Parse("t.yaml", []byte("allow: [{name: r, from: any, to: 10.0.0.0/8, ports: [32768-60999]}]"))
	if err != nil {
		t.Fatal(err)
	}
	b := enrichtest.Batch(enrichtest.Record{Protocol: flow.ProtocolTCP, TCPFlags: syn | ack, SrcPort: 50000, DstPort: 20000})
	orient.ForInventory(inventory.NewLive(v).Load).Enrich(b)
	if b.Initiator[0] != flow.InitiatorUnknown {
		t.Errorf("initiator %d", b.Initiator[0])
	}
}

func BenchmarkEnrich(b *testing.B) {
	e := orient.ForInventory(live(b).Load)
	enrichtest.Bench(b, e, enrichtest.Random(4096, 1), enrichtest.Random(4096, 2))
}
