package frame_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/gopacket/pcapgo"

	"tapwatch/collector/frame"
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

// TestCutFrames: however short the sample, what it still shows is the same.
func TestCutFrames(t *testing.T) {
	var d frame.Decoder
	for _, whole := range traffic(t) {
		var b flow.Batch
		full := b.Grow(1)
		const header, least = 14, 60 // frames are padded to 60 bytes
		if n := d.Decode(&b, full, frame.Ethernet, whole); n != len(whole)-header && (n == 0 || len(whole) != least) {
			t.Fatalf("% x: length %d", whole, n)
		}
		for n := range len(whole) {
			cut := b.Grow(1)
			d.Decode(&b, cut, frame.Ethernet, whole[:n:n])
			if b.SrcAddr[cut] != [16]byte{} && (b.SrcAddr[cut] != b.SrcAddr[full] || b.Protocol[cut] != b.Protocol[full]) {
				t.Fatalf("cut to %d bytes: from %s, protocol %d", n, flow.Addr(b.SrcAddr[cut]), b.Protocol[cut])
			}
			if b.SrcPort[cut] != 0 && b.SrcPort[cut] != b.SrcPort[full] {
				t.Fatalf("cut to %d bytes: port %d", n, b.SrcPort[cut])
			}
			if n >= 128 && (b.DstPort[cut] != b.DstPort[full] || b.TCPFlags[cut] != b.TCPFlags[full] || b.ICMPType[cut] != b.ICMPType[full]) {
				t.Fatalf("cut to %d bytes: lost ports, flags or type", n)
			}
			b.Truncate(cut)
		}
	}
}

func TestLinks(t *testing.T) {
	ip := []byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 53, 0, 8, 0, 0}
	ether := func(kind ...byte) []byte { return append(make([]byte, 12), kind...) }
	six := append([]byte{0x60, 0, 0, 0, 0, 16, 0, 64}, make([]byte, 32)...)
	six = append(six, 17, 0, 0, 0, 0, 0, 0, 0) // hop-by-hop options, then UDP
	six = append(six, 0, 7, 0, 53, 0, 8, 0, 0)
	for _, c := range []struct {
		name string
		link frame.Link
		data []byte
		port uint16
	}{
		{"IP", frame.IP, ip, 53},
		{"MPLS", frame.MPLS, append([]byte{0, 1, 0, 64, 0, 2, 1, 64}, ip...), 53},
		{"Ethernet", frame.Ethernet, append(ether(8, 0), ip...), 53},
		{"QinQ", frame.Ethernet, append(ether(0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0), ip...), 53},
		{"MPLS in Ethernet", frame.Ethernet, append(ether(0x88, 0x47, 0, 1, 1, 64), ip...), 53},
		{"PPPoE", frame.Ethernet, append(ether(0x88, 0x64, 0x11, 0, 0, 1, 0, 30, 0, 0x21), ip...), 53},
		{"hop-by-hop options", frame.IP, six, 53},
		{"ARP", frame.Ethernet, append(ether(8, 6), ip...), 0},
		{"labels without end", frame.MPLS, make([]byte, 400), 0},
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

func FuzzDecode(f *testing.F) {
	for _, data := range traffic(f) {
		f.Add(uint8(frame.Ethernet), data[:min(len(data), 128)])
		f.Add(uint8(frame.IP), data[14:min(len(data), 128)])
	}
	var d frame.Decoder
	f.Fuzz(func(t *testing.T, link uint8, data []byte) {
		var b flow.Batch
		b.Grow(1)
		d.Decode(&b, 0, frame.Link(link%3), data)
	})
}
