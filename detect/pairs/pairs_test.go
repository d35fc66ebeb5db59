package pairs_test

import (
	"net/netip"
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/pairs"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestServices(t *testing.T) {
	list := pairs.Services{"udp/123", "sctp"}
	for _, c := range []struct {
		protocol uint8
		port     uint16
		want     bool
	}{{17, 123, true}, {17, 124, false}, {6, 123, false}, {132, 3868, true}, {132, 0, true}} {
		if got := list.Has(c.protocol, c.port); got != c.want {
			t.Errorf("protocol %d, port %d: %t", c.protocol, c.port, got)
		}
	}
	for text, good := range map[string]bool{"tcp/22": true, "gre": true, "253": true, "tcp/": false, "tcp/70000": false, "nosuch": false, "6": false} {
		if got := (pairs.Services{text}).Wrong() < 0; got != good {
			t.Errorf("%q is a service: %t", text, got)
		}
	}
}

func TestAsAsked(t *testing.T) {
	asset, peer := netip.MustParseAddr("10.66.0.30"), netip.MustParseAddr("203.0.113.66")
	for _, c := range []struct {
		initiator string
		serves    bool
		client    netip.Addr
	}{{"peer", true, peer}, {"asset", false, asset}, {"", true, peer}, {"", false, asset}} {
		r := pairs.Row{AssetAddr: asset, PeerAddr: peer, Protocol: 6, Port: 22, Initiator: c.initiator, Serves: c.serves}
		got := r.AsAsked(time.Time{})
		if got.Client != c.client || got.InitiatorKnown != (c.initiator != "") {
			t.Errorf("%q, serves %t: client %s, known %t", c.initiator, c.serves, got.Client, got.InitiatorKnown)
		}
	}
}

// TestFacts counts who talks with whom, and holds that what comes later does not count.
func TestFacts(t *testing.T) {
	stage := stage.Open(t, detecttest.Operator)
	talk := func(at time.Duration, src, dst string) []detecttest.Flow {
		f := detecttest.Flow{At: detecttest.At(at), Src: src, Dst: dst, SrcPort: 40000, DstPort: 443, Flags: detecttest.Session}
		return []detecttest.Flow{f, f.Back(10, 9000)}
	}
	const hss, outside, neighbour = "10.40.1.10", "203.0.113.66", "203.0.113.67"
	stage.Flows(talk(0, "10.40.3.1", neighbour)...)
	stage.Flows(talk(time.Minute, hss, outside)...)
	stage.Flows(talk(2*time.Minute, "10.40.3.2", outside)...)
	stage.Flows(talk(2*time.Hour, "10.40.3.3", outside)...) // later
	row := pairs.Row{Asset: "hss-1", AssetAddr: netip.MustParseAddr(hss), PeerAddr: netip.MustParseAddr(outside), AssetZone: "core-east", ASN: 64500}
	strange := pairs.Row{Asset: "hss-1", AssetAddr: row.AssetAddr, PeerAddr: netip.MustParseAddr("192.0.2.99"), AssetZone: "core-east"}
	end := detecttest.At(time.Hour)
	facts, err := pairs.Facts(t.Context(), stage.History(), end, []pairs.Row{row, strange})
	if err != nil {
		t.Fatal(err)
	}
	want := []pairs.Fact{
		{First: detecttest.At(time.Minute), Since: detecttest.At(0), Hosts: 2, NetworkHosts: 3, Of: 3},
		{First: end, Since: detecttest.At(0), Of: 3},
	}
	for i := range want {
		if facts[i] != want[i] {
			t.Errorf("facts %+v, want %+v", facts[i], want[i])
		}
	}
	key := pairs.Key{Asset: row.AssetAddr, Peer: row.PeerAddr, Protocol: 6, Port: 443}
	talks, err := pairs.Conversations(t.Context(), stage.History(), detect.Window{Start: detecttest.At(0), End: end}, []pairs.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	if c := talks[key]; c.Flows != 2 || c.BytesIn != 9000 || c.BytesOut != 1000 || c.Initiator != "asset" || len(c.Exporters) != 1 {
		t.Errorf("conversation %+v", c)
	}
}

func TestRare(t *testing.T) {
	for _, c := range []struct {
		fact         pairs.Fact
		rare, common bool
	}{
		{pairs.Fact{Hosts: 1, Of: 1}, true, false},
		{pairs.Fact{Hosts: 3, Of: 10}, true, false},
		{pairs.Fact{Hosts: 4, Of: 10}, false, false},
		{pairs.Fact{Hosts: 20, Of: 1000}, true, false},
		{pairs.Fact{Hosts: 21, Of: 1000}, false, false},
		{pairs.Fact{NetworkHosts: 4, Of: 5}, true, false},
		{pairs.Fact{NetworkHosts: 50, Of: 100}, true, true},
	} {
		if got := c.fact.Rare(0.02); got != c.rare {
			t.Errorf("%+v is rare: %t", c.fact, got)
		}
		if got := c.fact.CommonNetwork(); got != c.common {
			t.Errorf("%+v has a common network: %t", c.fact, got)
		}
	}
}
