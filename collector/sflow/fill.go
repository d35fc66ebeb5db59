package sflow

import (
	"encoding/binary"
	"math/bits"

	"github.com/google/gopacket/layers"

	"tapwatch/collector/frame"
	"tapwatch/flow"
)

// fill completes the row from the records that were collected, and counts those
// that are too short. One does not spoil the others.
func (r *reader) fill(b *flow.Batch, row int) (bad int) {
	for has := r.parts.has; has != 0; has &= has - 1 {
		kind := part(bits.TrailingZeros32(has))
		w := words{data: r.parts.data[kind]}
		r.fillPart(b, row, kind, &w)
		if w.bad {
			bad++
		}
	}
	return bad
}

func (r *reader) fillPart(b *flow.Batch, row int, kind part, w *words) {
	switch kind {
	case sampledHeader:
		r.sampledHeader(b, row, w)
	case sampledIPv4:
		fillSampledIP(b, row, 4, w)
	case sampledIPv6:
		fillSampledIP(b, row, 6, w)
	case sampledEthernet:
		fillSampledEthernet(b, row, w)
	case extendedVLANTunnel:
		// The tags that were taken off, TPID and TCI, from the outermost.
		if tags := w.list(); tags.len() > 0 {
			setVLAN(&b.SrcVLAN[row], tags.uint32()&0x0fff)
		}
	case extendedSwitch:
		fillSwitch(b, row, w)
	case extendedRouter:
		fillRouter(b, row, w)
	case extendedGateway:
		fillGateway(b, row, w)
	case extendedMPLS:
		fillMPLS(b, row, w)
	case extendedNAT:
		if src, dst := w.address(), w.address(); !w.bad {
			b.SrcAddrNAT[row], b.DstAddrNAT[row] = src, dst
		}
	case extendedNATPort:
		if src, dst := w.uint32(), w.uint32(); !w.bad {
			b.SrcPortNAT[row], b.DstPortNAT[row] = uint16(src), uint16(dst)
		}
	}
}

// sampledHeader reads the start of the packet.
func (r *reader) sampledHeader(b *flow.Batch, row int, w *words) {
	protocol, length := w.uint32(), w.uint32()
	w.uint32() // how many bytes were taken off the packet
	size := w.uint32()
	if w.bad {
		return
	}
	b.Bytes[row] = uint64(length)
	if link, ok := linkOf(protocol); ok {
		r.frames.Decode(b, row, link, w.data[:min(uint64(size), uint64(len(w.data)))])
	}
}

// linkOf tells the link by the header protocol.
func linkOf(protocol uint32) (frame.Link, bool) {
	const ethernet, ppp, ipv4, ipv6, mpls, pos = 1, 7, 11, 12, 13, 14
	switch protocol {
	case ethernet:
		return frame.Ethernet, true
	case ipv4, ipv6:
		return frame.IP, true
	case mpls:
		return frame.MPLS, true
	case ppp, pos:
		return frame.PPP, true
	}
	return 0, false
}

// fillSampledIP takes what a switch says that sends no header.
func fillSampledIP(b *flow.Batch, row int, version uint8, w *words) {
	length, protocol := w.uint32(), w.uint32()
	var src, dst [16]byte
	if version == 4 {
		src, dst = w.ipv4(), w.ipv4()
	} else {
		src, dst = w.ipv6(), w.ipv6()
	}
	srcPort, dstPort, flags, tos := w.uint32(), w.uint32(), w.uint32(), w.uint32()
	if w.bad || b.IPVersion[row] != 0 {
		return
	}
	b.IPVersion[row], b.Protocol[row], b.TOS[row] = version, uint8(protocol), uint8(tos)
	b.SrcAddr[row], b.DstAddr[row] = src, dst
	switch layers.IPProtocol(b.Protocol[row]) {
	case layers.IPProtocolTCP, layers.IPProtocolUDP, layers.IPProtocolSCTP:
		// Of others these are "equivalents" of ports, whatever that is.
		b.SrcPort[row], b.DstPort[row], b.TCPFlags[row] = uint16(srcPort), uint16(dstPort), uint16(flags)
	}
	if b.Bytes[row] == 0 {
		b.Bytes[row] = uint64(length)
	}
}

// fillSampledEthernet takes the addresses of the frame. By XDR they have padding to
// 8 bytes (RFC 4506 §4.9); sflowtool, and agents made after it, know none.
func fillSampledEthernet(b *flow.Batch, row int, w *words) {
	const address, padding = 6, 2
	const compact = address + address + 4
	length := w.uint32()
	if len(w.data) < compact {
		w.fail()
		return
	}
	gap := 0
	if len(w.data) >= compact+2*padding {
		gap = padding
	}
	if b.SrcMAC[row] == 0 && b.DstMAC[row] == 0 {
		b.SrcMAC[row], b.DstMAC[row] = mac(w.data), mac(w.data[address+gap:])
	}
	if b.Bytes[row] == 0 {
		b.Bytes[row] = uint64(length)
	}
}

func mac(a []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(a))<<32 | uint64(binary.BigEndian.Uint32(a[2:]))
}
