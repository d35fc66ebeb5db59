package frame_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"tapwatch/collector/frame"
	"tapwatch/collector/frame/frametest"
	"tapwatch/flow"
	"tapwatch/internal/packets"
)

// traffic gives the frames that the packet generator makes.
func traffic(t testing.TB) [][]byte {
	t.Helper()
	var file bytes.Buffer
	if err := packets.Write(&file, packets.Defaults()); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for {
		data, _, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
}

// columns decodes one frame.
func columns(d *frame.Decoder, data []byte) (map[string]string, int) {
	var b flow.Batch
	b.Grow(1)
	length := d.Decode(&b, 0, frame.Ethernet, data)
	return frametest.Columns(&b, 0), length
}

func TestPackets(t *testing.T) {
	var d frame.Decoder // one for all: nothing of one packet may get into the next
	for _, p := range frametest.All() {
		got, length := columns(&d, p.Data)
		if diff := cmp.Diff(p.Want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
		if p.IPLength > 0 && length != p.IPLength && p.Want["ip_version"] != "" {
			t.Errorf("%s: %d bytes, want %d", p.Name, length, p.IPLength)
		}
	}
}

// TestCutPackets: however short the sample, what it still shows is true, and with
// the 128 bytes that most agents send it shows all.
func TestCutPackets(t *testing.T) {
	var d frame.Decoder
	for _, p := range frametest.All() {
		for n := p.Least; n < len(p.Data); n++ {
			got, _ := columns(&d, p.Data[:n:n])
			for column, value := range got {
				if want := p.Want[column]; value != want && !(column == "protocol" && p.Want["ip_version"] == "6") {
					// Where IPv6 extensions are cut, the protocol is that of the last.
					t.Errorf("%s, cut to %d bytes: %s is %s, want %q", p.Name, n, column, value, want)
				}
			}
			if diff := cmp.Diff(p.Want, got); n >= 128 && diff != "" {
				t.Errorf("%s, cut to %d bytes (-want +got):\n%s", p.Name, n, diff)
			}
		}
	}
}

// TestCutInside: what is still there counts, also of a header that is cut itself.
func TestCutInside(t *testing.T) {
	var d frame.Decoder
	byName := make(map[string][]byte)
	for _, p := range frametest.All() {
		byName[p.Name] = p.Data
	}
	const outer4, outer6 = 14 + 20, 14 + 40
	for _, c := range []struct {
		name   string
		size   int
		column string
		want   string
	}{
		{"TCP", 14 + 12, "protocol", "6"},
		{"TCP", 14 + 16, "src_addr", "192.0.2.1"},
		{"TCP", 14 + 19, "dst_addr", ""},
		{"TCP", outer4 + 4, "dst_port", "443"},
		{"TCP", outer4 + 14, "tcp_flags", "18"},
		{"UDP over IPv6", 14 + 24, "src_addr", "2001:db8:a::1"},
		{"ICMP", outer4 + 2, "icmp_code", "3"},
		{"IP options beyond the end", 14 + 24, "dst_addr", "10.2.0.2"},
		{"ERSPAN II", outer4 + 4, "tunnel", "3"},
		{"ERSPAN II", outer4 + 8, "tunnel_id", ""},
		{"ERSPAN II", outer4 + 16, "tunnel_id", "1023"},
		{"GRE with key", outer4 + 8 + 16, "inner_src_addr", "192.0.2.1"},
		{"GRE over IPv6", outer6 + 4 + 20 + 4, "inner_dst_port", "443"},
		{"VXLAN", outer4 + 16, "tunnel_id", "11259375"},
		{"GENEVE with a frame", outer4 + 8 + 8, "tunnel_id", "11259375"},
		{"GTP-U with extensions", outer4 + 8 + 8, "tunnel_id", "3735928559"},
	} {
		got, _ := columns(&d, byName[c.name][:c.size])
		if got[c.column] != c.want {
			t.Errorf("%s, cut to %d bytes: %s is %q, want %q", c.name, c.size, c.column, got[c.column], c.want)
		}
	}
}

// TestReference compares the outer header with what gopacket's own decoding makes
// of whole packets. Of broken ones it gives what it has read before the error.
func TestReference(t *testing.T) {
	all := traffic(t)
	for _, p := range slices.Concat(frametest.Plain(), frametest.Labelled(), frametest.Tunnels()) {
		all = append(all, p.Data)
	}
	var d frame.Decoder
	compared := 0
	for _, data := range all {
		network := gopacket.NewPacket(data, layers.LinkTypeEthernet, gopacket.NoCopy).NetworkLayer()
		var b flow.Batch
		b.Grow(1)
		d.Decode(&b, 0, frame.Ethernet, data)
		var src, dst net.IP
		var ttl, tos uint8
		switch l := network.(type) {
		case *layers.IPv4:
			src, dst, ttl, tos = l.SrcIP, l.DstIP, l.TTL, l.TOS
		case *layers.IPv6:
			src, dst, ttl, tos = l.SrcIP, l.DstIP, l.HopLimit, l.TrafficClass
		default:
			continue
		}
		compared++
		if !src.Equal(b.SrcAddr[0][:]) || !dst.Equal(b.DstAddr[0][:]) || ttl != b.IPTTL[0] || tos != b.TOS[0] {
			t.Errorf("% x: from %s, to %s, gopacket %s, %s", data, flow.Addr(b.SrcAddr[0]), flow.Addr(b.DstAddr[0]), src, dst)
		}
	}
	if compared < 300 {
		t.Errorf("%d packets compared", compared)
	}
}

func TestLinks(t *testing.T) {
	ip := []byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 53, 0, 8, 0, 0}
	for _, c := range []struct {
		name string
		link frame.Link
		data []byte
		port uint16
	}{
		{"IP", frame.IP, ip, 53},
		{"MPLS", frame.MPLS, append([]byte{0, 1, 0, 64, 0, 2, 1, 64}, ip...), 53},
		{"PPP", frame.PPP, append([]byte{0, 0x21}, ip...), 53},
		{"PPP with address and control", frame.PPP, append([]byte{0xff, 3, 0, 0x21}, ip...), 53},
		{"MPLS in PPP", frame.PPP, append([]byte{2, 0x81, 0, 1, 1, 64}, ip...), 53},
		{"labels without end", frame.MPLS, make([]byte, 400), 0},
		{"no such link", 99, ip, 53},
		{"nothing", frame.IP, nil, 0},
	} {
		var b flow.Batch
		b.Grow(1)
		length := new(frame.Decoder).Decode(&b, 0, c.link, c.data)
		if b.DstPort[0] != c.port || (length == 0) != (c.port == 0) {
			t.Errorf("%s: port %d, length %d", c.name, b.DstPort[0], length)
		}
	}
}

// TestLeavesOthersAlone: columns that the sample does not show stay as another
// source has filled them.
func TestLeavesOthersAlone(t *testing.T) {
	var b flow.Batch
	b.Grow(1)
	b.SrcVLAN[0], b.SrcMAC[0], b.MPLSLabel1[0], b.Tunnel[0] = 5, 6, 7, flow.TunnelVXLAN
	new(frame.Decoder).Decode(&b, 0, frame.IP, frametest.Plain()[0].Data[14:])
	if b.SrcVLAN[0] != 5 || b.SrcMAC[0] != 6 || b.MPLSLabel1[0] != 7 || b.Tunnel[0] != flow.TunnelVXLAN || b.DstPort[0] != 443 {
		t.Errorf("VLAN %d, MAC %d, label %d, tunnel %d", b.SrcVLAN[0], b.SrcMAC[0], b.MPLSLabel1[0], b.Tunnel[0])
	}
}

// TestNoAllocations: not of whole packets, not of cut ones, not of broken ones.
func TestNoAllocations(t *testing.T) {
	var b flow.Batch
	b.Grow(1)
	var d frame.Decoder
	for _, p := range frametest.All() {
		if n := testing.AllocsPerRun(10, func() {
			for n := range len(p.Data) + 1 {
				d.Decode(&b, 0, frame.Ethernet, p.Data[:n])
			}
		}); n != 0 {
			t.Errorf("%s: %g allocations", p.Name, n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, p := range frametest.All() {
		switch p.Name {
		case "TCP", "UDP over IPv6", "QinQ", "MPLS", "GRE with key", "ERSPAN II", "VXLAN", "GTP-U with extensions", "6 in 4":
		default:
			continue
		}
		b.Run(p.Name, func(b *testing.B) {
			var batch flow.Batch
			batch.Grow(1)
			var d frame.Decoder
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(&batch, 0, frame.Ethernet, p.Data)
			}
		})
	}
}
