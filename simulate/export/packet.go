package export

import "encoding/binary"

// Lengths of what comes before the IP packet, and of the checksum after it.
const (
	ethernetBytes = 14
	vlanTagBytes  = 4
	fcsBytes      = 4
	// capturedBytes is how much of a packet a router samples: sFlow's default.
	capturedBytes = 128
)

const (
	protocolTCP  = 6
	protocolUDP  = 17
	protocolSCTP = 132
)

const ttl = 61

// appendPacket appends the first bytes of the Ethernet frame that carries the
// packet r describes, as a switch chip captures them: at most capturedBytes.
// The payload is zero bytes, for no flow record says what it was.
func appendPacket(b []byte, r *Record) []byte {
	start := len(b)
	b = appendEthernet(b, r)
	if r.Src.Is6() {
		b = appendIPv6(b, r)
	} else {
		b = appendIPv4(b, r)
	}
	b = appendTransport(b, r)
	length := min(frameBytes(r)-fcsBytes, capturedBytes)
	for len(b)-start < length {
		b = append(b, 0)
	}
	return b[:start+length]
}

// frameBytes is the length of the frame on the wire, checksum included.
func frameBytes(r *Record) int {
	n := ethernetBytes + int(r.Bytes) + fcsBytes
	if r.VLAN != 0 {
		n += vlanTagBytes
	}
	return n
}

// appendEthernet uses locally administered addresses that tell the interfaces.
func appendEthernet(b []byte, r *Record) []byte {
	b = append(b, 0x02, 0x00, 0x5e, 0x01, byte(r.OutIf>>8), byte(r.OutIf))
	b = append(b, 0x02, 0x00, 0x5e, 0x02, byte(r.InIf>>8), byte(r.InIf))
	if r.VLAN != 0 {
		b = append(b, 0x81, 0x00)
		b = binary.BigEndian.AppendUint16(b, r.VLAN)
	}
	if r.Src.Is6() {
		return append(b, 0x86, 0xdd)
	}
	return append(b, 0x08, 0x00)
}

func appendIPv4(b []byte, r *Record) []byte {
	start := len(b)
	b = append(b, 0x45, r.TOS)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Bytes))
	b = binary.BigEndian.AppendUint16(b, uint16(r.StartAt)) // identification
	b = append(b, 0x40, 0, ttl, r.Protocol, 0, 0)
	b = appendAddr4(b, r.Src)
	b = appendAddr4(b, r.Dst)
	binary.BigEndian.PutUint16(b[start+10:], checksum(b[start:]))
	return b
}

func appendIPv6(b []byte, r *Record) []byte {
	const headerBytes = 40
	b = binary.BigEndian.AppendUint32(b, 6<<28|uint32(r.TOS)<<20)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Bytes-headerBytes))
	b = append(b, r.Protocol, ttl)
	b = appendAddr6(b, r.Src)
	return appendAddr6(b, r.Dst)
}

// appendTransport leaves the checksums of the transport at zero: they cover a
// payload that nobody captured.
func appendTransport(b []byte, r *Record) []byte {
	switch r.Protocol {
	case protocolTCP:
		b = appendUint16s(b, r.SrcPort, r.DstPort)
		b = binary.BigEndian.AppendUint32(b, uint32(r.StartAt))
		b = binary.BigEndian.AppendUint32(b, 0)
		return append(b, 0x50, r.TCPFlags, 0xff, 0xff, 0, 0, 0, 0)
	case protocolUDP:
		ipHeader := uint64(20)
		if r.Src.Is6() {
			ipHeader = 40
		}
		return appendUint16s(b, r.SrcPort, r.DstPort, uint16(r.Bytes-ipHeader), 0)
	case protocolSCTP:
		b = appendUint16s(b, r.SrcPort, r.DstPort)
		b = append(b, 0, 0, 0, 1, 0, 0, 0, 0)
		// A data chunk: type, flags (unfragmented), length.
		return append(b, 0, 3, 0, 16)
	case protocolICMP, protocolICMP6:
		return append(b, r.ICMPType, r.ICMPCode, 0, 0, 0, 0, 0, 0)
	default:
		return b
	}
}

// checksum is the internet checksum (RFC 1071) of a header of even length.
func checksum(header []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
