package frame

import (
	"encoding/binary"

	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// packet is what an IP packet shows.
type packet struct {
	version, protocol, tos, ttl uint8
	fragmentOffset              uint16 // in units of 8 bytes
	fragmentID                  uint32
	src, dst                    [16]byte
	length                      int // of the whole packet by its header; 0 not shown
	// payload is what is above IP. It begins with the upper header, or is empty: in
	// all fragments but the first.
	payload []byte

	srcPort, dstPort   uint16
	tcpFlags           uint16
	icmpType, icmpCode uint8
}

// read reads a packet up to its ports. It is false if data is no IP packet, or too
// little of one to say its protocol.
func (p *packet) read(data []byte) bool {
	if !p.header(data) {
		return false
	}
	p.transport()
	return true
}

// header reads the IP header.
func (p *packet) header(data []byte) bool {
	*p = packet{}
	if len(data) == 0 {
		return false
	}
	switch p.version = data[0] >> 4; p.version {
	case 4:
		return p.ipv4(data)
	case 6:
		return p.ipv6(data)
	}
	return false
}

// ipv4Header and ipv6Header are the sizes of the fixed headers.
const ipv4Header, ipv6Header = 20, 40

// ipv4 reads an IPv4 header (RFC 791 §3.1). Of one that is cut it takes the
// addresses that are still whole.
func (p *packet) ipv4(data []byte) bool {
	const protocolEnd, srcEnd, dstEnd = 12, 16, ipv4Header
	if len(data) < protocolEnd {
		return false
	}
	header, total := 4*int(data[0]&0xf), int(binary.BigEndian.Uint16(data[2:]))
	if header < ipv4Header || total != 0 && total < header {
		return false
	}
	if total == 0 {
		// Of a packet that the sending host's card has yet to cut up (TSO).
		total = len(data)
	}
	p.tos, p.ttl, p.protocol = data[1], data[8], data[9]
	p.fragmentID = uint32(binary.BigEndian.Uint16(data[4:]))
	p.fragmentOffset = binary.BigEndian.Uint16(data[6:]) & 0x1fff
	if len(data) >= srcEnd {
		p.src = flow.From4([4]byte(data[12:]))
	}
	if len(data) < dstEnd {
		return true
	}
	p.dst = flow.From4([4]byte(data[16:]))
	p.length = total
	// Short packets have padding behind them in Ethernet.
	data = data[:min(len(data), total)]
	if p.fragmentOffset == 0 && len(data) > header {
		p.payload = data[header:]
	}
	return true
}

// checksummed says whether data begins with an IPv4 header whose checksum is right
// (RFC 1071 §1): that is hardly chance.
func checksummed(data []byte) bool {
	if len(data) < ipv4Header || data[0]>>4 != 4 {
		return false
	}
	header := 4 * int(data[0]&0xf)
	if header < ipv4Header || header > len(data) {
		return false
	}
	sum := uint32(0)
	for i := 0; i < header; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	return sum>>16+sum&0xffff == 0xffff
}

// ipv6 reads an IPv6 header (RFC 8200 §3) and its extensions. Of one that is cut it
// takes the addresses that are still whole.
func (p *packet) ipv6(data []byte) bool {
	const limitEnd, srcEnd, dstEnd = 8, 24, ipv6Header
	if len(data) < limitEnd {
		return false
	}
	p.tos = uint8(binary.BigEndian.Uint16(data) >> 4)
	p.protocol, p.ttl = data[6], data[7]
	if len(data) >= srcEnd {
		p.src = [16]byte(data[8:])
	}
	if len(data) < dstEnd {
		return true
	}
	p.dst = [16]byte(data[24:])
	p.length = ipv6Header + int(binary.BigEndian.Uint16(data[4:]))
	if p.length == ipv6Header && p.protocol != noNextHeader {
		// A jumbogram (RFC 2675 §3), or as with IPv4 yet to be cut up.
		p.length = len(data)
	}
	p.extensions(data[ipv6Header:min(len(data), p.length)])
	return true
}

// IPv6 extension headers (RFC 8200 §4, RFC 4302 §2).
const (
	hopByHop       = 0
	routing        = 43
	fragment       = 44
	authentication = 51
	noNextHeader   = 59
	destination    = 60
)

// extensions walks the IPv6 extension headers to the upper protocol. Where they are
// cut, the protocol is the last that is known.
func (p *packet) extensions(data []byte) {
	const least = 8
	for range maxTags {
		switch p.protocol {
		case hopByHop, routing, fragment, authentication, destination:
		default:
			p.payload = data
			return
		}
		if len(data) < least {
			return
		}
		size := 8 * (int(data[1]) + 1)
		switch p.protocol {
		case fragment:
			size = least
			p.fragmentOffset = binary.BigEndian.Uint16(data[2:]) >> 3
			p.fragmentID = binary.BigEndian.Uint32(data[4:])
		case authentication:
			size = 4 * (int(data[1]) + 2)
		}
		p.protocol = data[0]
		if p.fragmentOffset != 0 {
			// What follows is the middle of something.
			return
		}
		data = data[min(size, len(data)):]
	}
}

// transport reads ports, TCP flags and ICMP type and code from the upper header, by
// hand: sampling cuts it anywhere, and the ports of all are in the first four bytes.
func (p *packet) transport() {
	const ports, typeAndCode = 4, 2
	switch layers.IPProtocol(p.protocol) {
	case layers.IPProtocolTCP, layers.IPProtocolUDP, layers.IPProtocolSCTP:
		if len(p.payload) < ports {
			return
		}
		p.srcPort, p.dstPort = binary.BigEndian.Uint16(p.payload), binary.BigEndian.Uint16(p.payload[2:])
		if layers.IPProtocol(p.protocol) == layers.IPProtocolTCP {
			p.tcp()
		}
	case layers.IPProtocolICMPv4, layers.IPProtocolICMPv6:
		if len(p.payload) >= typeAndCode {
			p.icmpType, p.icmpCode = p.payload[0], p.payload[1]
		}
	}
}

// tcp reads the flags as IPFIX element 6 has them (RFC 9565 §3): without the data
// offset.
func (p *packet) tcp() {
	const flags, flagsEnd = 12, 14
	if len(p.payload) >= flagsEnd {
		p.tcpFlags = binary.BigEndian.Uint16(p.payload[flags:]) & 0x0fff
	}
}
