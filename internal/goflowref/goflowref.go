// Package goflowref is a second reading of export datagrams, to hold the collector's
// against: goflow2's decoders, and what IANA's registry says of each element. Tests
// alone use it.
//
// It shares no code with the collector, and is plain where the collector is clever:
// a Record keeps its fields, so that a test can say where and why the two differ.
//
// goflow2 is kept from what it does to hostile input (v2.2.6): it never returns from
// a data set whose template takes no space, makes room for whatever a count claims,
// and gives up a datagram for one bad record. The package hands it one set or sample
// at a time and goes on after an error; what goflow2 by itself would not have come to
// is flagged.
package goflowref

import (
	"fmt"
	"net/netip"
	"strings"
)

// Column is what a value is about.
type Column int

// The columns, in the units of flow.Batch.
const (
	Export Column = iota
	Domain
	Start
	End
	Sampling
	SrcAddr
	DstAddr
	SrcPort
	DstPort
	Protocol
	IPVersion
	TCPFlags
	TOS
	ICMPType
	ICMPCode
	Bytes
	Packets
	Direction
	EndReason
	Forwarding
	InIf
	OutIf
	SrcVLAN
	DstVLAN
	SrcMAC
	DstMAC
	NextHop
	SrcAS
	DstAS
	SrcMask
	DstMask
	InVRF
	OutVRF
	MPLSLabel1
	MPLSLabel2
	MPLSLabel3
	IPTTL
	FragmentID
	FragmentOffset
	SrcAddrNAT
	DstAddrNAT
	SrcPortNAT
	DstPortNAT
	NATEvent
	FirewallEvent

	// Columns is how many there are.
	Columns
)

var columnNames = strings.Fields(`export_protocol observation_domain start_at end_at sampling_interval
	src_addr dst_addr src_port dst_port protocol ip_version tcp_flags tos icmp_type icmp_code bytes packets
	direction end_reason forwarding_status in_if out_if src_vlan dst_vlan src_mac dst_mac next_hop src_as dst_as
	src_mask dst_mask in_vrf out_vrf mpls_label_1 mpls_label_2 mpls_label_3 ip_ttl fragment_id fragment_offset
	src_addr_nat dst_addr_nat src_port_nat dst_port_nat nat_event firewall_event`)

// String gives the column's name in flow.Fields.
func (c Column) String() string { return columnNames[c] }

// Value is a number (in its second half) or an address, IPv4 mapped into IPv6; the
// zero Value is 0, or none.
type Value [2]uint64

// Number makes a Value.
func Number(n uint64) Value { return Value{0, n} }

// Addr makes a Value of an address of 16 bytes.
func Addr(a [16]byte) Value {
	return Value{be(a[:8]), be(a[8:])}
}

// String shows an address as such, as far as the value gives it away.
func (v Value) String() string {
	if v[0] == 0 && v[1]>>32 != 0xffff {
		return fmt.Sprint(v[1])
	}
	var a [16]byte
	for i := range 8 {
		a[i], a[8+i] = byte(v[0]>>(56-8*i)), byte(v[1]>>(56-8*i))
	}
	return netip.AddrFrom16(a).Unmap().String()
}

// Values are one of each column, comparable.
type Values [Columns]Value

// Flags say how a record came about.
type Flags uint16

// The flags of a record.
const (
	// PastError: goflow2 had given up the datagram before it came to the record.
	PastError Flags = 1 << iota
	// PastCount: the header counts fewer sets, samples or records.
	PastCount
	// PastLength: an IPFIX message is shorter by its header (RFC 7011 §3.1).
	PastLength
	// Late: the record came before its template and waited for it.
	Late
	// Empty: a field of variable length has no bytes.
	Empty
	// Cut: the set or sample is longer by its header than the datagram.
	Cut
	// Unlike: two fields of the record say a column differently.
	Unlike
	// Reverse: the way back of a biflow.
	Reverse
	// OddHeader: a sampled header that contradicts itself or ends within a layer.
	OddHeader
	// ShortSwitch: an extended switch record of sFlow that gives its length too short.
	ShortSwitch
	// PaddedMAC: a sampled Ethernet record of sFlow with padding.
	PaddedMAC
)

// Field is one field of a record as the wire has it.
type Field struct {
	PEN   uint32
	ID    uint16
	Value []byte
}

// Record is one flow record.
type Record struct {
	Values Values
	Flags  Flags
	// Fields are those of NetFlow v9 and IPFIX; nil else.
	Fields []Field
	// Announced is the sampling interval that options data told of the record's
	// sampler or domain; 0 none.
	Announced uint32
	// Said are the columns that a field says as IANA names it, by 1<<Column.
	Said uint64
	// Shown is what a sampled header in the record shows.
	Shown *Packet
	// Other holds other values that the record gives for a column (Unlike).
	Other map[Column][]Value
	// Odd are the columns said by a field whose length the registry does not allow, by
	// 1<<Column.
	Odd uint64
	// Refused are the columns of sFlow records that goflow2 refuses, by 1<<Column.
	Refused uint64
	// OutFormat and OutPort are the output port of a sample of sFlow, which also says
	// what became of the packet.
	OutFormat, OutPort uint32

	message message
}

// Has says whether all the flags are set.
func (r *Record) Has(f Flags) bool { return r.Flags&f == f }

// Is says whether a field says the column itself.
func (r *Record) Is(c Column) bool { return r.Said&(1<<c) != 0 }

// set says a column.
func (r *Record) set(c Column, v Value) {
	r.Values[c] = v
	r.Said |= 1 << c
}

// alternative notes that the record gives another value too.
func (r *Record) alternative(c Column, v Value) {
	if r.Other == nil {
		r.Other = make(map[Column][]Value)
	}
	r.Other[c] = append(r.Other[c], v)
	r.Flags |= Unlike
}

// number gives the column as one.
func (r *Record) number(c Column) uint64 { return r.Values[c][1] }

// be reads a big-endian number; of more than 8 bytes the last 8.
func be(v []byte) (n uint64) {
	for _, c := range v {
		n = n<<8 | uint64(c)
	}
	return n
}
