package frame

import (
	"testing"

	"tapwatch/collector/frame/frametest"
	"tapwatch/flow"
)

// FuzzDecode reads without the recover of Decode, which would hide a panic. Of
// whatever is read the columns must make sense.
func FuzzDecode(f *testing.F) {
	for _, p := range frametest.All() {
		f.Add(uint8(Ethernet), p.Data)
		f.Add(uint8(Ethernet), p.Data[:min(len(p.Data), 64)])
		f.Add(uint8(IP), p.Data[min(len(p.Data), ethernetHeader):])
		f.Add(uint8(MPLS), p.Data[min(len(p.Data), ethernetHeader):])
		f.Add(uint8(PPP), append([]byte{0, 0x21}, p.Data[min(len(p.Data), ethernetHeader):]...))
	}
	var d Decoder
	var b flow.Batch
	f.Fuzz(func(t *testing.T, link uint8, data []byte) {
		b.Truncate(0)
		b.Grow(1)
		length := d.decode(&b, 0, Link(link%4), data)
		if length < 0 || length > 1<<16+ipv6Header && length > len(data) {
			t.Errorf("length %d of %d bytes", length, len(data))
		}
		if v := b.IPVersion[0]; v != 0 && v != 4 && v != 6 {
			t.Errorf("IP version %d", v)
		}
		if v := b.MPLSLabel1[0] | b.MPLSLabel2[0] | b.MPLSLabel3[0]; v >= 1<<20 {
			t.Errorf("label %d", v)
		}
		if b.SrcVLAN[0] >= 1<<12 || b.FragmentOffset[0] >= 1<<13 || b.TCPFlags[0] >= 1<<12 {
			t.Errorf("VLAN %d, fragment offset %d, TCP flags %#x", b.SrcVLAN[0], b.FragmentOffset[0], b.TCPFlags[0])
		}
		if b.Tunnel[0] == flow.TunnelNone && (b.TunnelID[0] != 0 || b.InnerProtocol[0] != 0 || b.InnerSrcAddr[0] != [16]byte{}) {
			t.Error("inner columns without a tunnel")
		}
		if b.IPVersion[0] == 0 && (length != 0 || b.Protocol[0] != 0 || b.Tunnel[0] != flow.TunnelNone) {
			t.Error("columns of an IP packet without one")
		}
	})
}
