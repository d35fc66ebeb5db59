package export

import (
	"encoding/binary"
	"net/netip"
)

// field is one field of a template: its information element (NetFlow v9 and IPFIX
// number them alike), its length in bytes, and how it is written. Templates and
// records are made from the same table, so they cannot disagree.
type field struct {
	element, length uint16
	put             func(b []byte, r *Record, o *Options) []byte
}

const protocolICMP, protocolICMP6 = 1, 58

func fields4() []field {
	return []field{
		{8, 4, func(b []byte, r *Record, _ *Options) []byte { return appendAddr4(b, r.Src) }},
		{12, 4, func(b []byte, r *Record, _ *Options) []byte { return appendAddr4(b, r.Dst) }},
		{15, 4, func(b []byte, r *Record, _ *Options) []byte { return appendAddr4(b, r.NextHop) }},
		{9, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.SrcMask) }},
		{13, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.DstMask) }},
		{32, 2, putICMP}, // icmpTypeCodeIPv4
	}
}

func fields6() []field {
	return []field{
		{27, 16, func(b []byte, r *Record, _ *Options) []byte { return appendAddr6(b, r.Src) }},
		{28, 16, func(b []byte, r *Record, _ *Options) []byte { return appendAddr6(b, r.Dst) }},
		{62, 16, func(b []byte, r *Record, _ *Options) []byte { return appendAddr6(b, r.NextHop) }},
		{29, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.SrcMask) }},
		{30, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.DstMask) }},
		{139, 2, putICMP}, // icmpTypeCodeIPv6
	}
}

// fieldsBoth are those of either IP version and either protocol.
func fieldsBoth() []field {
	return []field{
		{7, 2, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint16(b, r.SrcPort) }},
		{11, 2, func(b []byte, r *Record, _ *Options) []byte {
			return binary.BigEndian.AppendUint16(b, dstPortOrICMP(r))
		}},
		{10, 4, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint32(b, r.InIf) }},
		{14, 4, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint32(b, r.OutIf) }},
		{16, 4, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint32(b, r.SrcAS) }},
		{17, 4, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint32(b, r.DstAS) }},
		{58, 2, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint16(b, r.VLAN) }},
		{4, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.Protocol) }},
		{6, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.TCPFlags) }},
		{5, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.TOS) }},
		// flowDirection counts from 0, Record from 1.
		{61, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.Direction-1) }},
	}
}

// fieldsV9 are NetFlow v9's own: 32-bit counters, times by uptime, the sampler.
func fieldsV9() []field {
	return []field{
		{1, 4, func(b []byte, r *Record, _ *Options) []byte {
			return binary.BigEndian.AppendUint32(b, uint32(r.Bytes))
		}},
		{2, 4, func(b []byte, r *Record, _ *Options) []byte {
			return binary.BigEndian.AppendUint32(b, uint32(r.Packets))
		}},
		{22, 4, func(b []byte, r *Record, o *Options) []byte {
			return binary.BigEndian.AppendUint32(b, o.uptime(r.StartAt))
		}},
		{21, 4, func(b []byte, r *Record, o *Options) []byte {
			return binary.BigEndian.AppendUint32(b, o.uptime(r.EndAt))
		}},
		{48, 1, func(b []byte, _ *Record, _ *Options) []byte { return append(b, samplerID) }},
	}
}

// fieldsIPFIX are IPFIX's own: 64-bit counters, absolute times, the end reason.
func fieldsIPFIX() []field {
	return []field{
		{1, 8, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint64(b, r.Bytes) }},
		{2, 8, func(b []byte, r *Record, _ *Options) []byte { return binary.BigEndian.AppendUint64(b, r.Packets) }},
		{152, 8, func(b []byte, r *Record, _ *Options) []byte {
			return binary.BigEndian.AppendUint64(b, uint64(r.StartAt))
		}},
		{153, 8, func(b []byte, r *Record, _ *Options) []byte {
			return binary.BigEndian.AppendUint64(b, uint64(r.EndAt))
		}},
		{136, 1, func(b []byte, r *Record, _ *Options) []byte { return append(b, r.EndReason) }},
	}
}

func putICMP(b []byte, r *Record, _ *Options) []byte { return append(b, r.ICMPType, r.ICMPCode) }

// dstPortOrICMP is the destination port field, in which routers put type and code
// of ICMP.
func dstPortOrICMP(r *Record) uint16 {
	if r.Protocol == protocolICMP || r.Protocol == protocolICMP6 {
		return uint16(r.ICMPType)<<8 | uint16(r.ICMPCode)
	}
	return r.DstPort
}

// appendAddr4 appends four bytes, zero for an address that is not IPv4.
func appendAddr4(b []byte, a netip.Addr) []byte {
	if !a.Is4() {
		return append(b, 0, 0, 0, 0)
	}
	v := a.As4()
	return append(b, v[:]...)
}

// appendAddr6 appends sixteen bytes, zero for an address that is not IPv6.
func appendAddr6(b []byte, a netip.Addr) []byte {
	var v [16]byte
	if a.Is6() {
		v = a.As16()
	}
	return append(b, v[:]...)
}
