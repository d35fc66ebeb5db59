package netflow

import (
	"encoding/binary"
	"math"

	"tapwatch/flow"
)

// The writers below put a wire value into the column that at gives.

func u8(at func(*flow.Batch) []uint8) func(*record, []byte) {
	return func(r *record, v []byte) {
		if n := uint8(number(v)); n != 0 {
			at(r.b)[r.row] = n
		}
	}
}

func u16(at func(*flow.Batch) []uint16) func(*record, []byte) {
	return func(r *record, v []byte) {
		if n := uint16(number(v)); n != 0 {
			at(r.b)[r.row] = n
		}
	}
}

func u32(at func(*flow.Batch) []uint32) func(*record, []byte) {
	return func(r *record, v []byte) {
		if n := uint32(number(v)); n != 0 {
			at(r.b)[r.row] = n
		}
	}
}

func u64(at func(*flow.Batch) []uint64) func(*record, []byte) {
	return func(r *record, v []byte) {
		if n := number(v); n != 0 {
			at(r.b)[r.row] = n
		}
	}
}

// vlan masks off priority and drop bits, which some exporters leave in.
func vlan(at func(*flow.Batch) []uint16) func(*record, []byte) {
	return func(r *record, v []byte) { at(r.b)[r.row] = uint16(number(v)) & 0x0fff }
}

// addr4 takes an IPv4 address. Templates that carry both families fill the one
// that does not apply with zeros, or with the addresses within a tunnel: what
// replaces nothing but zeros.
func addr4(at func(*flow.Batch) [][16]byte) func(*record, []byte) {
	return func(r *record, v []byte) {
		if len(v) > 4 {
			return
		}
		var a [4]byte // prefixes may come shortened, their tail cut off
		copy(a[:], v)
		if column := at(r.b); column[r.row] == ([16]byte{}) {
			column[r.row] = flow.From4(a)
		}
	}
}

// addr6 takes an IPv6 address, under the same rule.
func addr6(at func(*flow.Batch) [][16]byte) func(*record, []byte) {
	return func(r *record, v []byte) {
		if len(v) > 16 {
			return
		}
		var a [16]byte
		copy(a[:], v)
		column := at(r.b)
		if a != ([16]byte{}) && (column[r.row] == ([16]byte{}) || column[r.row] == flow.From4([4]byte{})) {
			column[r.row] = a
		}
	}
}

func icmpTypeCode(r *record, v []byte) {
	n := uint16(number(v))
	if n != 0 {
		r.b.ICMPType[r.row], r.b.ICMPCode[r.row] = uint8(n>>8), uint8(n)
	}
	r.hasICMP = true
}

// icmpType takes the type of either family: a template that has both fills the
// one that does not apply with zero.
func icmpType(r *record, v []byte) {
	r.b.ICMPType[r.row] = max(r.b.ICMPType[r.row], uint8(number(v)))
	r.hasICMP = true
}

func icmpCode(r *record, v []byte) {
	r.b.ICMPCode[r.row] = max(r.b.ICMPCode[r.row], uint8(number(v)))
	r.hasICMP = true
}

// direction maps element 61 (0 ingress, 1 egress) to the values of flow.
func direction(r *record, v []byte) {
	switch number(v) {
	case 0:
		r.b.Direction[r.row] = flow.DirectionIngress
	case 1:
		r.b.Direction[r.row] = flow.DirectionEgress
	}
}

func samplerID(r *record, v []byte) {
	r.sampling.sampler, r.sampling.hasSampler = number(v), true
}

// float reads float64 or float32 (RFC 7011 §6.1.3).
func float(v []byte) float64 {
	switch len(v) {
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v)))
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(v))
	}
	return 0
}

// Sections of a sampled packet.
const (
	sectionFrame = iota
	sectionIP
)
