package frame

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// transport reads ports, TCP flags and ICMP type and code from the upper header.
func (d *Decoder) transport(b *flow.Batch, row int, data []byte) {
	switch layers.IPProtocol(b.Protocol[row]) {
	case layers.IPProtocolTCP:
		d.readTCP(b, row, data)
	case layers.IPProtocolUDP:
		if d.udp.DecodeFromBytes(data, gopacket.NilDecodeFeedback) == nil {
			b.SrcPort[row], b.DstPort[row] = uint16(d.udp.SrcPort), uint16(d.udp.DstPort)
		}
	case layers.IPProtocolSCTP:
		if d.sctp.DecodeFromBytes(data, gopacket.NilDecodeFeedback) == nil {
			b.SrcPort[row], b.DstPort[row] = uint16(d.sctp.SrcPort), uint16(d.sctp.DstPort)
		}
	case layers.IPProtocolICMPv4:
		if d.ic4.DecodeFromBytes(data, gopacket.NilDecodeFeedback) == nil {
			b.ICMPType[row], b.ICMPCode[row] = d.ic4.TypeCode.Type(), d.ic4.TypeCode.Code()
		}
	case layers.IPProtocolICMPv6:
		if d.ic6.DecodeFromBytes(data, gopacket.NilDecodeFeedback) == nil {
			b.ICMPType[row], b.ICMPCode[row] = d.ic6.TypeCode.Type(), d.ic6.TypeCode.Code()
		}
	}
}

// readTCP reads the fixed part by hand where gopacket refuses a header whose
// options the sampling cut off: those are the common case, not broken packets.
func (d *Decoder) readTCP(b *flow.Batch, row int, data []byte) {
	const flagsEnd = 14
	if len(data) < flagsEnd {
		if len(data) >= 4 {
			b.SrcPort[row], b.DstPort[row] = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
		}
		return
	}
	if d.tcp.DecodeFromBytes(data, gopacket.NilDecodeFeedback) == nil {
		b.SrcPort[row], b.DstPort[row] = uint16(d.tcp.SrcPort), uint16(d.tcp.DstPort)
	} else {
		b.SrcPort[row], b.DstPort[row] = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	}
	b.TCPFlags[row] = binary.BigEndian.Uint16(data[12:]) & 0x01ff
}
