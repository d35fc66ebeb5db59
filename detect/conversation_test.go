package detect_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/detecttest"
)

type flow = detecttest.Flow

const (
	second = time.Second
	peer   = "203.0.113.66"
	asset  = "10.66.0.30"
)

// counted is what a conversation of the tests adds up to.
type counted struct {
	Asset, Peer, Initiator      string
	Port                        uint16
	Established, Answered       bool
	Sessions, Flows             uint64
	BytesIn, BytesOut, Packets  uint64
	Exporters, Unsampled        int
	Sampling                    uint32
	AssetServes, AssetTried     bool
	FirstSeen, LastSeen, Opened time.Duration
}

func count(c *detect.Conversation) counted {
	return counted{
		Asset: c.AssetAddr.String(), Peer: c.PeerAddr.String(), Initiator: c.Initiator, Port: c.Port,
		Established: c.Established, Answered: c.Answered, Sessions: c.Sessions, Flows: c.Flows,
		BytesIn: c.BytesIn, BytesOut: c.BytesOut, Packets: c.Packets,
		Exporters: len(c.Exporters), Unsampled: len(c.Unsampled), Sampling: c.Sampling,
		AssetServes: c.AssetServes, AssetTried: c.AssetTried,
		FirstSeen: c.FirstSeen.Sub(detecttest.At(0)), LastSeen: c.LastSeen.Sub(detecttest.At(0)), Opened: c.At().Sub(detecttest.At(0)),
	}
}

// TestConversations says what the flows of one window, from 0 s to 10 s, add up to.
func TestConversations(t *testing.T) {
	in := flow{At: detecttest.At(4 * second), Src: peer, Dst: asset, SrcPort: 40000, DstPort: 22, Flags: detecttest.Session, Packets: 10, Bytes: 1000}
	out := in.Back(20, 20000)
	out.At = detecttest.At(5 * second)
	by := func(f flow, exporter string) flow { f.Exporter = exporter; return f }
	sampled := func(f flow, interval int) flow { f.Sampling = interval; return f }
	egress := func(f flow) flow { f.Egress = true; return f }
	port := func(f flow, client uint16) flow { f.SrcPort = client; return f }
	early := func(f flow) flow { return f.Received(detecttest.At(-60 * second)) }
	plain := counted{Asset: asset, Peer: peer, Initiator: "peer", Port: 22, Established: true, Answered: true, Sessions: 1,
		Flows: 2, BytesIn: 1000, BytesOut: 20000, Packets: 30, Exporters: 1, Sampling: 1, AssetServes: true,
		FirstSeen: 4 * second, LastSeen: 5 * second, Opened: 4 * second}
	change := func(f func(c *counted)) []counted { c := plain; f(&c); return []counted{c} }
	core := flow{At: in.At, Src: "10.40.1.10", Dst: "10.20.0.5", SrcPort: 40000, DstPort: 22, Flags: detecttest.Session, Packets: 10, Bytes: 1000}
	for _, c := range []struct {
		name  string
		flows []flow
		want  []counted
	}{
		{"one session", []flow{in, out}, []counted{plain}},
		{"fragments of one session add up", []flow{in, in, out}, change(func(c *counted) { c.Flows, c.BytesIn, c.Packets = 3, 2000, 40 })},
		{"two routers saw it: the one with more counts", []flow{in, by(in, "10.30.0.2"), by(in, "10.30.0.2"), out, by(out, "10.30.0.2")},
			change(func(c *counted) { c.Flows, c.BytesIn, c.Packets, c.Exporters = 3, 2000, 40, 2 })},
		{"one router saw it on both sides", []flow{in, egress(in), out, egress(out)}, []counted{plain}},
		{"sampling multiplies bytes and packets, not flows", []flow{sampled(in, 100), sampled(out, 100)},
			change(func(c *counted) { c.BytesIn, c.BytesOut, c.Packets, c.Sampling = 100000, 2000000, 3000, 100 })},
		{"a sampled and an unsampled router", []flow{by(sampled(in, 1000), "10.30.0.2"), in, out},
			change(func(c *counted) { c.Sampling, c.Exporters = 1000, 2 })}, // the unsampled one tells exactly
		{"sampling not said", []flow{sampled(in, -1), out}, change(func(c *counted) { c.Unsampled = 1 })},
		{"two sessions of one service", []flow{in, out, port(in, 40001)}, change(func(c *counted) { c.Sessions, c.Flows, c.BytesIn, c.Packets = 2, 3, 2000, 40 })},
		{"the question came before the window", []flow{early(in), out},
			change(func(c *counted) {
				c.Flows, c.BytesIn, c.Packets, c.FirstSeen, c.Opened = 1, 0, 20, 5*second, -60*second
			})},
		{"nothing in the window", []flow{early(in), early(out)}, nil},
		{"nothing but before the horizon", []flow{in.Received(detecttest.At(-400 * second)), out}, change(func(c *counted) {
			c.Flows, c.BytesIn, c.Packets, c.FirstSeen, c.Opened, c.Answered = 1, 0, 20, 5*second, 5*second, false
		})},
		{"an exporter's clock that cannot be right", []flow{in.Begun(detecttest.At(-999 * time.Hour)), out}, []counted{plain}},
		{"an exporter's clock", []flow{in.Begun(detecttest.At(-30 * second)), out}, change(func(c *counted) { c.Opened = -30 * second })},
		{"an attempt", []flow{in.With(detecttest.SYN)}, change(func(c *counted) {
			c.Established, c.Answered, c.Flows, c.BytesOut, c.Packets, c.LastSeen = false, false, 1, 0, 10, 4*second
		})},
		{"an attempt of the asset", []flow{{At: in.At, Src: asset, Dst: peer, SrcPort: 40000, DstPort: 443, Flags: detecttest.SYN, Packets: 1, Bytes: 60}},
			[]counted{{Asset: asset, Peer: peer, Initiator: "asset", Port: 443, AssetTried: true, Sessions: 1, Flows: 1, BytesOut: 60, Packets: 1,
				Exporters: 1, Sampling: 1, FirstSeen: 4 * second, LastSeen: 4 * second, Opened: 4 * second}}},
		{"between equals the one that was asked is the asset", []flow{core, core.Back(20, 20000)},
			[]counted{{Asset: "10.20.0.5", Peer: "10.40.1.10", Initiator: "peer", Port: 22, Established: true, Answered: true, AssetServes: true, Sessions: 1,
				Flows: 2, BytesIn: 1000, BytesOut: 20000, Packets: 30, Exporters: 1, Sampling: 1, FirstSeen: 4 * second, LastSeen: 4 * second, Opened: 4 * second}}},
		{"the intercept system is the asset, whoever asks", []flow{{At: in.At, Src: asset, Dst: "10.40.1.10", SrcPort: 40000, DstPort: 22, Flags: detecttest.Session, Packets: 10, Bytes: 1000}},
			[]counted{{Asset: asset, Peer: "10.40.1.10", Initiator: "asset", Port: 22, Established: true, Sessions: 1,
				Flows: 1, BytesOut: 1000, Packets: 10, Exporters: 1, Sampling: 1, FirstSeen: 4 * second, LastSeen: 4 * second, Opened: 4 * second}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, stage := open(t)
			stage.Flows(c.flows...)
			found, err := detect.Conversations(t.Context(), stage.History(), detect.ConversationQuery{
				Window: detect.Window{Start: detecttest.At(0), End: detecttest.At(10 * second)}, Attempts: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []counted
			for i := range found {
				got = append(got, count(&found[i]))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("conversations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTurnedTwiceIsTheSame(t *testing.T) {
	c := detect.Conversation{AssetAddr: netip.MustParseAddr(asset), PeerAddr: netip.MustParseAddr(peer), Initiator: "peer", AssetServes: true,
		PeerTried: true, BytesIn: 1, BytesOut: 2, AssetZone: "a", AssetZoneKind: "b", AssetName: "c", AssetRole: "d", AssetCountry: "e", AssetASN: 1,
		AssetASOrg: "f", AssetIntel: "g", PeerZone: "h", PeerZoneKind: "i", PeerName: "j", PeerRole: "k", PeerCountry: "l", PeerASN: 2, PeerASOrg: "m", PeerIntel: "n"}
	once := c.Turned()
	if once.Asset() != c.Peer() || once.Initiator != "asset" || once.BytesIn != 2 || once.AssetIntel != "n" || !once.AssetTried || once.AssetServes {
		t.Errorf("turned: %+v", once)
	}
	twice := once.Turned()
	if diff := cmp.Diff(c, twice, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("turned twice (-want +got):\n%s", diff)
	}
}

// TestMergeKeepsEvidence holds that merged findings add up and that their one query
// runs and shows the flows of both.
func TestMergeKeepsEvidence(t *testing.T) {
	_, stage := open(t)
	in := flow{At: detecttest.At(4 * second), Src: peer, Dst: "10.66.0.20", SrcPort: 40000, DstPort: 22, Flags: detecttest.Session}
	other := in
	other.Dst, other.Exporter = "10.66.0.21", "10.30.0.2"
	stage.Flows(in, in.Back(10, 1000), other)
	w := detect.Window{Start: detecttest.At(0), End: detecttest.At(10 * second)}
	found, err := detect.Conversations(t.Context(), stage.History(), detect.ConversationQuery{Window: w})
	if err != nil {
		t.Fatal(err)
	}
	inv := detecttest.Inventory(t, detecttest.Operator)()
	var findings []alert.Finding
	for i := range found {
		f := found[i].Finding("x", w, inv)
		f.ID = found[i].Identity("x", "y")
		findings = append(findings, f)
	}
	merged := detect.Merge(findings)
	if len(merged) != 1 || merged[0].Flows != 3 || stage.Rows(merged[0].SQL) != 3 {
		t.Fatalf("merged %d findings into %+v", len(findings), merged)
	}
	if want := []string{"pe1.east (10.30.0.1)", "pe2.east (10.30.0.2)"}; !cmp.Equal(want, merged[0].Exporters) {
		t.Errorf("exporters %q, want %q", merged[0].Exporters, want)
	}
}
