package frame

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// tunnel is a tunnel and what is in it.
type tunnel struct {
	kind int8   // flow.Tunnel…
	id   uint32 // see flow.Batch.TunnelID
	// inner begins with the inner IP header; nil if there is none, or it is cut off.
	inner []byte
}

// ipInIPv4 is the protocol number of IPv4 in IP, after RFC 2003; IPv6 in IP has
// another (RFC 2473, RFC 4213).
const ipInIPv4 = layers.IPProtocolIPv4

// tunnel says what tunnel the packet is of. Fragments but the first do not show it.
func (d *Decoder) tunnel(p *packet) tunnel {
	if p.fragmentOffset != 0 {
		return tunnel{}
	}
	switch layers.IPProtocol(p.protocol) {
	case ipInIPv4:
		return tunnel{kind: flow.TunnelIPIP, inner: versioned(p.payload, 4)}
	case layers.IPProtocolIPv6:
		return tunnel{kind: flow.TunnelIPIP, inner: versioned(p.payload, 6)}
	case layers.IPProtocolGRE:
		return d.greTunnel(p.payload)
	case layers.IPProtocolUDP:
		const header = 8
		if len(p.payload) >= header {
			return d.udpTunnel(p.dstPort, p.payload[header:])
		}
	}
	return tunnel{}
}

// Bits of the first two bytes of a GRE header (RFC 2784 §2.1, RFC 2890 §2; those
// of old and of version 1 in RFC 1701 and RFC 2637 §4.1).
const (
	greChecksum    = 0x8000
	greRouting     = 0x4000
	greKey         = 0x2000
	greSequence    = 0x1000
	greAcknowledge = 0x0080
	greVersion     = 0x0007
)

// Protocols of a GRE header that gopacket does not name.
const ethernetTypeERSPAN3 layers.EthernetType = 0x22eb

// greTunnel reads a GRE header. Its first four bytes say what tunnel it is, even
// where the rest is cut off.
func (d *Decoder) greTunnel(data []byte) tunnel {
	const least = 4
	if len(data) < least {
		return tunnel{}
	}
	flags := binary.BigEndian.Uint16(data)
	t := tunnel{kind: greKind(layers.EthernetType(binary.BigEndian.Uint16(data[2:])), flags)}
	size, ok := greSize(flags)
	if !ok || len(data) < size || d.gre.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return t
	}
	if d.gre.KeyPresent {
		t.id = d.gre.Key
	}
	switch t.kind {
	case flow.TunnelERSPAN2:
		return d.erspan2(d.gre.Payload)
	case flow.TunnelERSPAN3:
		return d.erspan3(d.gre.Payload)
	case flow.TunnelERSPAN1:
		t.inner = d.innerFrame(d.gre.Payload)
		return t
	}
	if d.gre.Version == 1 {
		// The upper half of PPTP's key is the payload's length (RFC 2637 §4.1).
		t.id &= 0xffff
	}
	t.inner = d.innerTyped(d.gre.Protocol, d.gre.Payload)
	return t
}

// greKind tells GRE from the three types of ERSPAN (draft-foschiano-erspan-03 §4):
// type I has the protocol of type II, but no sequence number.
func greKind(protocol layers.EthernetType, flags uint16) int8 {
	switch {
	case protocol == ethernetTypeERSPAN3:
		return flow.TunnelERSPAN3
	case protocol != layers.EthernetTypeERSPAN:
		return flow.TunnelGRE
	case flags&greSequence == 0:
		return flow.TunnelERSPAN1
	}
	return flow.TunnelERSPAN2
}

// greSize is how long a header with these flags is. It is false where gopacket
// would read something else than the RFCs say, or allocate: a source route (gone
// since RFC 2784), an acknowledgement outside version 1.
func greSize(flags uint16) (size int, ok bool) {
	version := flags & greVersion
	if flags&greRouting != 0 || version > 1 || version == 0 && flags&greAcknowledge != 0 {
		return 0, false
	}
	size = 4
	for _, field := range [...]uint16{greChecksum, greKey, greSequence, greAcknowledge} {
		if flags&field != 0 {
			size += 4
		}
	}
	return size, true
}

// erspan2 reads the header of ERSPAN type II (draft-foschiano-erspan-03 §4.2) and
// the mirrored frame.
func (d *Decoder) erspan2(data []byte) tunnel {
	const header = 8
	t := tunnel{kind: flow.TunnelERSPAN2}
	if len(data) < header || d.erspan.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil ||
		d.erspan.Version != layers.ERSPANIIVersion {
		return t
	}
	t.id = uint32(d.erspan.SessionID)
	t.inner = d.innerFrame(d.erspan.Payload)
	return t
}

// erspan3 reads the header of ERSPAN type III (draft-foschiano-erspan-03 §4.3),
// with the platform's part where its last bit says so, and what is mirrored: a
// frame or an IP packet.
func (d *Decoder) erspan3(data []byte) tunnel {
	const (
		header, platform = 12, 8
		version          = 2
		frame, packet    = 0, 2
	)
	t := tunnel{kind: flow.TunnelERSPAN3}
	if len(data) < header || data[0]>>4 != version {
		return t
	}
	t.id = uint32(binary.BigEndian.Uint16(data[2:]) & 0x3ff)
	last := binary.BigEndian.Uint16(data[10:])
	data = data[header:]
	if last&1 != 0 {
		if len(data) < platform {
			return t
		}
		data = data[platform:]
	}
	switch last >> 10 & 0x1f {
	case frame:
		t.inner = d.innerFrame(data)
	case packet:
		t.inner = data
	}
	return t
}

// innerFrame gives the IP packet in an Ethernet frame inside a tunnel.
func (d *Decoder) innerFrame(data []byte) []byte {
	d.within = below{}
	return d.ethernet(data, &d.within)
}

// innerTyped gives the IP packet in what GRE and GENEVE announce by an EtherType.
func (d *Decoder) innerTyped(kind layers.EthernetType, data []byte) []byte {
	d.within = below{}
	switch kind {
	case layers.EthernetTypeTransparentEthernetBridging:
		return d.ethernet(data, &d.within)
	case layers.EthernetTypePPP:
		return d.ppp(data, &d.within)
	default:
		return d.typed(kind, data, &d.within)
	}
}
