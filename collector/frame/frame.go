// Package frame reads the first bytes of a sampled packet (sFlow raw packet
// header, IPFIX dataLinkFrameSection) into the columns of a flow.Batch.
//
// It takes the outermost IP header: that is what the router forwarded by.
package frame

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// Link is what the first byte of a sampled header belongs to.
type Link uint8

// The link types that a Decoder reads.
const (
	Ethernet Link = iota
	IP            // IPv4 or IPv6, told by the version in the first byte
	MPLS          // a label stack, then IP
)

// Decoder reads sampled headers. The zero Decoder is ready for use; it keeps
// scratch space and is not safe for concurrent use.
type Decoder struct {
	eth  layers.Ethernet
	vlan layers.Dot1Q
	ip4  layers.IPv4
	ip6  layers.IPv6
	tcp  layers.TCP
	udp  layers.UDP
	sctp layers.SCTP
	ic4  layers.ICMPv4
	ic6  layers.ICMPv6
}

// Decode fills the record at index row of b with what data holds. Headers that
// are cut short fill what they still show. The result is the length of the IP
// packet by its header, 0 if there is none. It never panics, whatever data is.
func (d *Decoder) Decode(b *flow.Batch, row int, link Link, data []byte) (length int) {
	// gopacket's layers check their lengths, but one that forgets to must not stop
	// the collector.
	defer func() {
		if recover() != nil {
			length = 0
		}
	}()
	switch link {
	case Ethernet:
		return d.ethernet(b, row, data)
	case MPLS:
		return d.labels(b, row, data)
	default:
		return d.ip(b, row, data)
	}
}

func (d *Decoder) ethernet(b *flow.Batch, row int, data []byte) int {
	if d.eth.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return 0
	}
	b.SrcMAC[row] = mac(d.eth.SrcMAC)
	b.DstMAC[row] = mac(d.eth.DstMAC)
	kind, rest := d.eth.EthernetType, d.eth.Payload
	for range maxTags {
		switch kind {
		case layers.EthernetTypeDot1Q, layers.EthernetTypeQinQ:
			if d.vlan.DecodeFromBytes(rest, gopacket.NilDecodeFeedback) != nil {
				return 0
			}
			if b.SrcVLAN[row] == 0 {
				b.SrcVLAN[row] = d.vlan.VLANIdentifier
			}
			kind, rest = d.vlan.Type, d.vlan.Payload
		case layers.EthernetTypeMPLSUnicast, layers.EthernetTypeMPLSMulticast:
			return d.labels(b, row, rest)
		case layers.EthernetTypePPPoESession:
			return d.pppoe(b, row, rest)
		case layers.EthernetTypeIPv4, layers.EthernetTypeIPv6:
			return d.ip(b, row, rest)
		default:
			return 0
		}
	}
	return 0
}

// maxTags bounds nested VLAN tags and labels; no network stacks more.
const maxTags = 16

// labels skips an MPLS label stack (RFC 3032): 4 bytes a label, the last one has
// its bottom-of-stack bit set.
func (d *Decoder) labels(b *flow.Batch, row int, data []byte) int {
	for range maxTags {
		if len(data) < 4 {
			return 0
		}
		bottom := data[2]&1 != 0
		data = data[4:]
		if bottom {
			return d.ip(b, row, data)
		}
	}
	return 0
}

// pppoe skips the PPPoE session header (RFC 2516 §4) and the PPP protocol field.
func (d *Decoder) pppoe(b *flow.Batch, row int, data []byte) int {
	const header, protocol4, protocol6 = 8, 0x0021, 0x0057
	if len(data) < header {
		return 0
	}
	switch binary.BigEndian.Uint16(data[6:]) {
	case protocol4, protocol6:
		return d.ip(b, row, data[header:])
	}
	return 0
}

func (d *Decoder) ip(b *flow.Batch, row int, data []byte) int {
	if len(data) == 0 {
		return 0
	}
	switch data[0] >> 4 {
	case 4:
		return d.ipv4(b, row, data)
	case 6:
		return d.ipv6(b, row, data)
	}
	return 0
}

func (d *Decoder) ipv4(b *flow.Batch, row int, data []byte) int {
	if d.ip4.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return 0
	}
	b.IPVersion[row] = 4
	b.SrcAddr[row] = flow.From4([4]byte(d.ip4.SrcIP))
	b.DstAddr[row] = flow.From4([4]byte(d.ip4.DstIP))
	b.Protocol[row] = uint8(d.ip4.Protocol)
	b.TOS[row] = d.ip4.TOS
	if d.ip4.FragOffset == 0 {
		d.transport(b, row, d.ip4.Payload)
	}
	return int(d.ip4.Length)
}

func (d *Decoder) ipv6(b *flow.Batch, row int, data []byte) int {
	const header = 40
	if d.ip6.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return 0
	}
	b.IPVersion[row] = 6
	b.SrcAddr[row] = [16]byte(d.ip6.SrcIP)
	b.DstAddr[row] = [16]byte(d.ip6.DstIP)
	b.TOS[row] = d.ip6.TrafficClass
	// From the fixed header on, so that hop-by-hop options are walked like the
	// other extensions.
	next, rest, first := extensions(data[6], data[header:])
	b.Protocol[row] = next
	if first {
		d.transport(b, row, rest)
	}
	return header + int(d.ip6.Length)
}

// extensions walks the IPv6 extension headers (RFC 8200 §4). It gives the upper
// protocol, its bytes, and whether they begin with its header (not so in later
// fragments).
func extensions(next uint8, data []byte) (protocol uint8, rest []byte, first bool) {
	const hopByHop, routing, fragment, authentication, destination = 0, 43, 44, 51, 60
	for range maxTags {
		switch next {
		case hopByHop, routing, fragment, authentication, destination:
		default:
			return next, data, true
		}
		if len(data) < 8 {
			return next, nil, false
		}
		size := 8 * (int(data[1]) + 1)
		switch next {
		case fragment:
			size = 8
			if binary.BigEndian.Uint16(data[2:])&0xfff8 != 0 {
				return data[0], nil, false
			}
		case authentication:
			size = 4 * (int(data[1]) + 2)
		}
		next = data[0]
		data = data[min(size, len(data)):]
	}
	return next, nil, false
}

func mac(a []byte) uint64 {
	if len(a) != 6 {
		return 0
	}
	return uint64(binary.BigEndian.Uint16(a))<<32 | uint64(binary.BigEndian.Uint32(a[2:]))
}
