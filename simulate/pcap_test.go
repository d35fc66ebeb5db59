package simulate_test

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"tapwatch/simulate"
	"tapwatch/simulate/export/exporttest"
	"tapwatch/simulate/scenario"
)

var collector = netip.MustParseAddrPort("127.0.0.1:2055")

func capture(t *testing.T, seed uint64, duration time.Duration) ([]byte, simulate.Stats) {
	t.Helper()
	n := network(t, 20, withPlan(scenario.Demo()), func(c *simulate.Config) { c.Seed = seed })
	var b bytes.Buffer
	stats, err := n.WritePcap(context.Background(), &b, collector, duration)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), stats
}

func TestSameSeedSameBytes(t *testing.T) {
	first, _ := capture(t, 1, 20*time.Second)
	again, _ := capture(t, 1, 20*time.Second)
	other, _ := capture(t, 2, 20*time.Second)
	if !bytes.Equal(first, again) {
		t.Error("the same seed gives other bytes")
	}
	if bytes.Equal(first, other) {
		t.Error("another seed gives the same bytes")
	}
}

// TestNothingIsLostOnTheWire decodes a capture with goflow2's decoders: every record
// that the network yields must come out, from its router, with its bytes.
func TestNothingIsLostOnTheWire(t *testing.T) {
	const duration = 2 * time.Minute
	type sum struct{ records, bytes, packets uint64 }
	data, stats := capture(t, 1, duration)
	n := network(t, 20, withPlan(scenario.Demo()))
	routers := n.Routers()
	want, got := map[netip.Addr]sum{}, map[netip.Addr]sum{}
	for r := range n.Records(start(20), start(20).Add(duration)) {
		s := want[routers[r.Router].Address]
		want[routers[r.Router].Address] = sum{s.records + 1, s.bytes + r.Bytes, s.packets + r.Packets}
	}
	decoders := map[netip.Addr]*exporttest.Decoder{}
	datagrams := uint64(0)
	eachDatagram(t, data, func(at time.Time, from netip.Addr, payload []byte) {
		datagrams++
		if at.Before(start(20)) || at.After(start(20).Add(duration)) {
			t.Fatalf("a datagram at %s", at)
		}
		if decoders[from] == nil {
			decoders[from] = &exporttest.Decoder{}
		}
		d, err := decoders[from].Decode(payload)
		if err != nil {
			t.Fatalf("from %s: %v", from, err)
		}
		for _, r := range d.Records {
			s := got[from]
			got[from] = sum{s.records + 1, s.bytes + r.Bytes, s.packets + r.Packets}
		}
	})
	total := sum{}
	for _, r := range routers {
		if want[r.Address] != got[r.Address] {
			t.Errorf("router %s: %+v decoded of %+v", r.Name, got[r.Address], want[r.Address])
		}
		s := want[r.Address]
		total = sum{total.records + s.records, total.bytes + s.bytes, total.packets + s.packets}
	}
	if told := (sum{stats.Records, stats.Bytes, stats.Packets}); told != total || stats.Datagrams != datagrams || stats.Planted == 0 {
		t.Errorf("stats %+v, counted %+v in %d datagrams", stats, total, datagrams)
	}
}

func eachDatagram(t *testing.T, data []byte, take func(at time.Time, from netip.Addr, payload []byte)) {
	t.Helper()
	r, err := pcapgo.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, info, err := r.ReadPacketData()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
		ip, ok := p.NetworkLayer().(*layers.IPv4)
		udp, isUDP := p.TransportLayer().(*layers.UDP)
		if !ok || !isUDP || udp.DstPort != 2055 {
			t.Fatalf("not a datagram to the collector: %s", p)
		}
		from, _ := netip.AddrFromSlice(ip.SrcIP)
		take(info.Timestamp, from, udp.Payload)
	}
}

func TestCaptureRefusals(t *testing.T) {
	n := network(t, 20)
	if _, err := n.WritePcap(context.Background(), io.Discard, collector, 0); err == nil {
		t.Error("a capture of no duration")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.WritePcap(ctx, io.Discard, collector, time.Minute); err != context.Canceled {
		t.Errorf("error %v after the context ended", err)
	}
}
