package ledger_test

import (
	"net/netip"
	"testing"

	"tapwatch/detect"
	"tapwatch/detect/ledger"
)

func TestNetwork(t *testing.T) {
	for _, c := range []struct{ addr, network, last string }{
		{"198.51.100.13", "198.51.100.0/24", "198.51.100.255"},
		{"::ffff:198.51.100.13", "198.51.100.0/24", "198.51.100.255"},
		{"2001:db8:7:9::1", "2001:db8:7::/48", "2001:db8:7:ffff:ffff:ffff:ffff:ffff"},
	} {
		n := ledger.Network(netip.MustParseAddr(c.addr))
		if n.String() != c.network || ledger.Last(n).String() != c.last {
			t.Errorf("%s is in %s up to %s, want %s up to %s", c.addr, n, ledger.Last(n), c.network, c.last)
		}
	}
	if last := ledger.Last(netip.MustParsePrefix("10.0.0.8/30")); last.String() != "10.0.0.11" {
		t.Errorf("10.0.0.8/30 ends at %s", last)
	}
}

// TestMoves has a session seen from both of its ends.
func TestMoves(t *testing.T) {
	s := detect.Session{AssetAddr: netip.MustParseAddr("10.66.0.30"), PeerAddr: netip.MustParseAddr("203.0.113.9"), Port: 22, AssetServes: true,
		Initiator: "peer", BytesIn: 10, BytesOut: 500, Asset: detect.End{Zone: "li", Kind: "lawful-intercept", Name: "mdf3-1"}, Peer: detect.End{Country: "NL"}}
	moves := ledger.Moves(&s)
	out, in := moves[0], moves[1]
	if out.From().Name != "mdf3-1" || out.Sent != 500 || out.Received != 10 || out.Opened != "to" || !out.FromServes || out.ToCountry != "NL" {
		t.Errorf("what the asset sent: %+v", out)
	}
	if in.To().Name != "mdf3-1" || in.Sent != 10 || in.Opened != "from" || in.FromServes || in.From().Addr != s.PeerAddr {
		t.Errorf("what the peer sent: %+v", in)
	}
}

func TestLeaves(t *testing.T) {
	protected := map[string]bool{"li": true, "core": true, "core-west": true, "management": true}
	kinds := map[string]string{"li": "lawful-intercept", "core": "core", "core-west": "core", "management": "management", "subscribers": "customer"}
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"li", "", true}, {"li", "core", true}, {"core", "li", false}, {"core", "core-west", false}, {"core", "management", true},
		{"management", "core", false}, {"management", "subscribers", true}, {"subscribers", "core", false}, {"", "core", false},
	} {
		m := ledger.Move{FromZone: c.from, FromKind: kinds[c.from], ToZone: c.to, ToKind: kinds[c.to]}
		if got := m.Leaves(protected); got != c.want {
			t.Errorf("from %q to %q leaves: %t", c.from, c.to, got)
		}
	}
}
