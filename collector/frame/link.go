package frame

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// below is what lies below an IP packet.
type below struct {
	ethernet       bool
	srcMAC, dstMAC uint64
	vlan           uint16 // the outermost that is not 0
	labelled       bool
	labels         [3]uint32 // the stack's top
	pseudowire     bool      // the packet is in Ethernet in MPLS
}

const (
	ethernetHeader = 14
	tagHeader      = 4
	labelHeader    = 4
	// maxTags bounds nested VLAN tags and labels; no network stacks more.
	maxTags = 16
	// vlanStacking is the type of the outer tag that switches used before IEEE
	// 802.1ad gave it 0x88a8.
	vlanStacking layers.EthernetType = 0x9100
)

// ethernet reads an Ethernet header and gives the IP packet in the frame, nil if
// there is none.
func (d *Decoder) ethernet(data []byte, to *below) []byte {
	if len(data) < ethernetHeader || d.eth.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return nil
	}
	if !to.ethernet {
		to.ethernet, to.srcMAC, to.dstMAC = true, mac(d.eth.SrcMAC), mac(d.eth.DstMAC)
	}
	return d.typed(d.eth.EthernetType, d.eth.Payload, to)
}

// typed goes through what an EtherType announces (IEEE 802 Numbers of IANA) until
// the IP packet.
func (d *Decoder) typed(kind layers.EthernetType, data []byte, to *below) []byte {
	for range maxTags {
		switch kind {
		case layers.EthernetTypeIPv4:
			return versioned(data, 4)
		case layers.EthernetTypeIPv6:
			return versioned(data, 6)
		case layers.EthernetTypeDot1Q, layers.EthernetTypeQinQ, vlanStacking:
			if len(data) < tagHeader || d.vlan.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
				return nil
			}
			if to.vlan == 0 {
				to.vlan = d.vlan.VLANIdentifier
			}
			kind, data = d.vlan.Type, d.vlan.Payload
		case layers.EthernetTypeMPLSUnicast, layers.EthernetTypeMPLSMulticast:
			return d.labels(data, to)
		case layers.EthernetTypePPPoESession:
			return d.pppoe(data, to)
		default:
			return nil
		}
	}
	return nil
}

// labels reads an MPLS label stack (RFC 3032 §2.1): 4 bytes a label, the last one
// has its bottom-of-stack bit set. Nothing in it says what follows.
func (d *Decoder) labels(data []byte, to *below) []byte {
	for i := range maxTags {
		if len(data) < labelHeader {
			return nil
		}
		entry := binary.BigEndian.Uint32(data)
		if i < len(to.labels) {
			to.labelled, to.labels[i] = true, entry>>12
		}
		data = data[labelHeader:]
		if entry&0x100 != 0 {
			return d.labelled(data, to)
		}
	}
	return nil
}

// labelled tells by the first four bits what a label stack carries (RFC 4928 §3): 4
// and 6 are IP, 0 the control word of a pseudo-wire (RFC 4385 §3) and 1 its control
// channel. An Ethernet pseudo-wire (RFC 4448) need not have a control word, so what
// is neither is tried as a frame; and a control word looks like the maker's part of
// many a MAC address, so without a frame behind it both are tried. Makers with
// addresses in 4 and 6 there are too (RFC 8469 §1): then checksums decide.
func (d *Decoder) labelled(data []byte, to *below) []byte {
	const controlWord = 4
	if len(data) == 0 {
		return nil
	}
	switch data[0] >> 4 {
	case 4, 6:
		if !checksummed(data) {
			if ip := d.pseudowire(data, to); checksummed(ip) {
				return ip
			}
		}
		return data
	case 0:
		if len(data) >= controlWord {
			if ip := d.pseudowire(data[controlWord:], to); ip != nil {
				return ip
			}
		}
	}
	return d.pseudowire(data, to)
}

// pseudowire gives the IP packet in the frame of an Ethernet pseudo-wire. That it
// is one at all is a guess, which an EtherType, an IP version that agrees with it
// and lengths that make sense bear out. There is one level of it: frames do not
// nest without end.
func (d *Decoder) pseudowire(data []byte, to *below) []byte {
	if to.pseudowire {
		return nil
	}
	frame := below{ethernet: true, pseudowire: true}
	ip := d.ethernet(data, &frame)
	var p packet
	if len(ip) < ipv4Header || !p.header(ip) {
		return nil
	}
	to.pseudowire = true
	return ip
}

// pppoe skips the header of a PPPoE session (RFC 2516 §4): version and type 1, code
// 0.
func (d *Decoder) pppoe(data []byte, to *below) []byte {
	const header, session = 6, 0x1100
	if len(data) < header || binary.BigEndian.Uint16(data) != session {
		return nil
	}
	return d.ppp(data[header:], to)
}

// ppp reads the protocol of a PPP frame (RFC 1661 §2), which may be compressed to
// one byte (§6.5), after address and control (RFC 1662 §3.1) if they are there.
func (d *Decoder) ppp(data []byte, to *below) []byte {
	const addressAndControl, protocolIPv4, protocolIPv6, protocolMPLS = 0xff03, 0x21, 0x57, 0x281
	if len(data) >= 2 && binary.BigEndian.Uint16(data) == addressAndControl {
		data = data[2:]
	}
	if len(data) < 2 {
		return nil
	}
	protocol, size := uint16(data[0]), 1
	if data[0]&1 == 0 {
		protocol, size = binary.BigEndian.Uint16(data), 2
	}
	switch data = data[size:]; protocol {
	case protocolIPv4:
		return versioned(data, 4)
	case protocolIPv6:
		return versioned(data, 6)
	case protocolMPLS:
		return d.labels(data, to)
	}
	return nil
}

// versioned gives data if it begins with an IP header of that version.
func versioned(data []byte, version uint8) []byte {
	if len(data) == 0 || data[0]>>4 != version {
		return nil
	}
	return data
}

func mac(a []byte) uint64 {
	if len(a) != 6 {
		return 0
	}
	return uint64(binary.BigEndian.Uint16(a))<<32 | uint64(binary.BigEndian.Uint32(a[2:]))
}
