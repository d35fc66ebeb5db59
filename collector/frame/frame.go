// Package frame reads the first bytes of a sampled packet (sFlow raw packet
// header, IPFIX dataLinkFrameSection and ipHeaderPacketSection) into the columns of
// a flow.Batch.
//
// The ordinary columns are those of the outermost IP header: that is what the
// router forwarded by. Where the packet is a tunnel's, Tunnel and TunnelID say
// which, and the Inner columns are those of the IP header one level inside.
//
// gopacket's layers read what has a fixed size: Ethernet, 802.1Q, GRE, ERSPAN type
// II, VXLAN. What sampling cuts in the middle is read by hand, for there gopacket
// refuses all of a header, or makes an error and thereby garbage for each packet:
// IP and its options, IPv6 extensions, TCP, MPLS, GENEVE, GTP-U.
package frame

import (
	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// Link is what the first byte of a sampled header belongs to.
type Link uint8

// The link types that a Decoder reads.
const (
	Ethernet Link = iota
	IP            // IPv4 or IPv6, told by the version in the first byte
	MPLS          // a label stack, then IP or a pseudo-wire
	PPP           // RFC 1661, with or without the address and control of RFC 1662
)

// Decoder reads sampled headers. The zero Decoder is ready for use; it keeps
// scratch space and is not safe for concurrent use.
type Decoder struct {
	eth    layers.Ethernet
	vlan   layers.Dot1Q
	gre    layers.GRE
	erspan layers.ERSPANII
	vxlan  layers.VXLAN

	outer, inner packet
	below        below // the outer packet
	within       below // the inner packet; there are no columns for it
}

// Decode fills the record at index row of b with what data holds. Headers that
// are cut short fill what they still show; what data does not show is left as it
// is. The result is the length of the IP packet by its header, 0 if that is not
// shown. It never panics, whatever data is, and allocates nothing.
func (d *Decoder) Decode(b *flow.Batch, row int, link Link, data []byte) (length int) {
	// The lengths are checked before gopacket reads, but a check forgotten here or
	// there must not stop the collector.
	defer func() {
		if recover() != nil {
			length = 0
		}
	}()
	return d.decode(b, row, link, data)
}

func (d *Decoder) decode(b *flow.Batch, row int, link Link, data []byte) (length int) {
	d.below = below{}
	data = d.beneath(link, data, &d.below)
	d.below.fill(b, row)
	if !d.outer.read(data) {
		return 0
	}
	d.outer.fill(b, row)
	if t := d.tunnel(&d.outer); t.kind != flow.TunnelNone {
		b.Tunnel[row], b.TunnelID[row] = t.kind, t.id
		if d.inner.read(t.inner) {
			d.inner.fillInner(b, row)
		}
	}
	return d.outer.length
}

// beneath gives what begins with the IP header.
func (d *Decoder) beneath(link Link, data []byte, to *below) []byte {
	switch link {
	case Ethernet:
		return d.ethernet(data, to)
	case MPLS:
		return d.labels(data, to)
	case PPP:
		return d.ppp(data, to)
	default:
		return data
	}
}

func (l *below) fill(b *flow.Batch, row int) {
	if l.ethernet {
		b.SrcMAC[row], b.DstMAC[row] = l.srcMAC, l.dstMAC
	}
	if l.vlan != 0 {
		b.SrcVLAN[row] = l.vlan
	}
	if l.labelled {
		b.MPLSLabel1[row], b.MPLSLabel2[row], b.MPLSLabel3[row] = l.labels[0], l.labels[1], l.labels[2]
	}
}

func (p *packet) fill(b *flow.Batch, row int) {
	b.IPVersion[row] = p.version
	b.SrcAddr[row], b.DstAddr[row] = p.src, p.dst
	b.SrcPort[row], b.DstPort[row] = p.srcPort, p.dstPort
	b.Protocol[row], b.TOS[row], b.IPTTL[row] = p.protocol, p.tos, p.ttl
	b.TCPFlags[row] = p.tcpFlags
	b.ICMPType[row], b.ICMPCode[row] = p.icmpType, p.icmpCode
	b.FragmentID[row], b.FragmentOffset[row] = p.fragmentID, p.fragmentOffset
}

func (p *packet) fillInner(b *flow.Batch, row int) {
	b.InnerSrcAddr[row], b.InnerDstAddr[row] = p.src, p.dst
	b.InnerSrcPort[row], b.InnerDstPort[row] = p.srcPort, p.dstPort
	b.InnerProtocol[row] = p.protocol
}
