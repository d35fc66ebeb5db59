package main

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// record is one flow record, IPv4. Times are Unix milliseconds.
type record struct {
	src, dst, nextHop uint32
	srcPort, dstPort  uint16
	protocol, tos     uint8
	tcpFlags          uint8
	bytes, packets    uint32
	start, end        int64
	inIf, outIf       uint16
	srcAS, dstAS      uint32
	srcMask, dstMask  uint8
	direction         uint8
}

// field is one field of a template: its information element (RFC 3954 §8 and IANA's
// IPFIX registry number them alike), its length in bytes, and its value.
type field struct {
	element, length uint16
	value           func(r *record) uint64
}

// layout is the order of fields in a template and in the records it describes.
type layout []field

// fields are those that all layouts have in common: 15 of the 20 a typical router
// sends.
func fields() layout {
	return layout{
		{8, 4, func(r *record) uint64 { return uint64(r.src) }},
		{12, 4, func(r *record) uint64 { return uint64(r.dst) }},
		{15, 4, func(r *record) uint64 { return uint64(r.nextHop) }},
		{7, 2, func(r *record) uint64 { return uint64(r.srcPort) }},
		{11, 2, func(r *record) uint64 { return uint64(r.dstPort) }},
		{4, 1, func(r *record) uint64 { return uint64(r.protocol) }},
		{5, 1, func(r *record) uint64 { return uint64(r.tos) }},
		{6, 1, func(r *record) uint64 { return uint64(r.tcpFlags) }},
		{10, 4, func(r *record) uint64 { return uint64(r.inIf) }},
		{14, 4, func(r *record) uint64 { return uint64(r.outIf) }},
		{16, 4, func(r *record) uint64 { return uint64(r.srcAS) }},
		{17, 4, func(r *record) uint64 { return uint64(r.dstAS) }},
		{9, 1, func(r *record) uint64 { return uint64(r.srcMask) }},
		{13, 1, func(r *record) uint64 { return uint64(r.dstMask) }},
		{61, 1, func(r *record) uint64 { return uint64(r.direction) }},
	}
}

// layoutV9 has the 20 fields of a NetFlow v9 template: 32-bit counters, first and
// last switched by the uptime since boot, forwarding status.
func layoutV9(boot int64) layout {
	return append(fields(), layout{
		{1, 4, func(r *record) uint64 { return uint64(r.bytes) }},
		{2, 4, func(r *record) uint64 { return uint64(r.packets) }},
		{22, 4, func(r *record) uint64 { return uint64(r.start - boot) }},
		{21, 4, func(r *record) uint64 { return uint64(r.end - boot) }},
		{89, 1, func(*record) uint64 { return 64 }}, // forwarded
	}...)
}

// layoutIPFIX has the 20 fields of an IPFIX template: 64-bit counters, absolute
// times, the end reason.
func layoutIPFIX() layout {
	return append(fields(), layout{
		{1, 8, func(r *record) uint64 { return uint64(r.bytes) }},
		{2, 8, func(r *record) uint64 { return uint64(r.packets) }},
		{152, 8, func(r *record) uint64 { return uint64(r.start) }},
		{153, 8, func(r *record) uint64 { return uint64(r.end) }},
		{136, 1, func(*record) uint64 { return 2 }}, // active timeout
	}...)
}

// varied gives the same fields in another order, with other lengths of some.
func (l layout) varied(random *rand.Rand) layout {
	v := slices.Clone(l)
	for i := range v {
		switch v[i].element {
		case 1, 2: // counters
			v[i].length = []uint16{4, 8}[random.IntN(2)]
		case 10, 14: // interfaces; the lengths a router may choose
			v[i].length = []uint16{2, 4}[random.IntN(2)]
		}
	}
	random.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
	return v
}

// recordBytes is the length of a record.
func (l layout) recordBytes() int {
	n := 0
	for _, f := range l {
		n += int(f.length)
	}
	return n
}

// appendTemplate appends a template record.
func (l layout) appendTemplate(b []byte, id uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, uint16(len(l)))
	for _, f := range l {
		b = binary.BigEndian.AppendUint16(b, f.element)
		b = binary.BigEndian.AppendUint16(b, f.length)
	}
	return b
}

// appendRecord appends a data record.
func (l layout) appendRecord(b []byte, r *record) []byte {
	for _, f := range l {
		v := f.value(r)
		for shift := 8 * int(f.length-1); shift >= 0; shift -= 8 {
			b = append(b, byte(v>>shift))
		}
	}
	return b
}
