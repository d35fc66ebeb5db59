package goflowref

import "slices"

// kind is how the bytes of an element are read.
type kind int

const (
	unsigned kind = iota // unsigned8 to 64, macAddress; the size is the most bytes
	address              // ipv4Address, ipv6Address; the size is the only one
	// flowDirection (61) counts from 0 on; flow has 0 for unknown.
	fromOne
	// A label of an MPLS stack: 20 bits, then experimental ones and bottom-of-stack.
	label
)

// element is a row of IANA's registry ("IP Flow Information Export (IPFIX) Entities").
type element struct {
	column Column
	kind   kind
	size   int
}

// of gives the element of the column that an address of that size is by definition.
func of(c Column, size int) (id uint16) {
	for id, e := range exact {
		if e.column == c && e.size == size {
			return id
		}
	}
	return 0
}

// exact are the elements that are a column by their definition. Times, ICMP, sampling
// and sampled headers need more than a row: times.go, sampling.go, packet.go.
var exact = map[uint16]element{
	1:   {Bytes, unsigned, 8},          // octetDeltaCount
	2:   {Packets, unsigned, 8},        // packetDeltaCount
	4:   {Protocol, unsigned, 1},       // protocolIdentifier
	5:   {TOS, unsigned, 1},            // ipClassOfService
	6:   {TCPFlags, unsigned, 2},       // tcpControlBits
	7:   {SrcPort, unsigned, 2},        // sourceTransportPort
	8:   {SrcAddr, address, 4},         // sourceIPv4Address
	9:   {SrcMask, unsigned, 1},        // sourceIPv4PrefixLength
	10:  {InIf, unsigned, 4},           // ingressInterface
	11:  {DstPort, unsigned, 2},        // destinationTransportPort
	12:  {DstAddr, address, 4},         // destinationIPv4Address
	13:  {DstMask, unsigned, 1},        // destinationIPv4PrefixLength
	14:  {OutIf, unsigned, 4},          // egressInterface
	15:  {NextHop, address, 4},         // ipNextHopIPv4Address
	16:  {SrcAS, unsigned, 4},          // bgpSourceAsNumber
	17:  {DstAS, unsigned, 4},          // bgpDestinationAsNumber
	27:  {SrcAddr, address, 16},        // sourceIPv6Address
	28:  {DstAddr, address, 16},        // destinationIPv6Address
	29:  {SrcMask, unsigned, 1},        // sourceIPv6PrefixLength
	30:  {DstMask, unsigned, 1},        // destinationIPv6PrefixLength
	54:  {FragmentID, unsigned, 4},     // fragmentIdentification
	56:  {SrcMAC, unsigned, 6},         // sourceMacAddress
	58:  {SrcVLAN, unsigned, 2},        // vlanId
	59:  {DstVLAN, unsigned, 2},        // postVlanId
	60:  {IPVersion, unsigned, 1},      // ipVersion
	61:  {Direction, fromOne, 1},       // flowDirection
	62:  {NextHop, address, 16},        // ipNextHopIPv6Address
	70:  {MPLSLabel1, label, 3},        // mplsTopLabelStackSection
	71:  {MPLSLabel2, label, 3},        // mplsLabelStackSection2
	72:  {MPLSLabel3, label, 3},        // mplsLabelStackSection3
	80:  {DstMAC, unsigned, 6},         // destinationMacAddress
	88:  {FragmentOffset, unsigned, 2}, // fragmentOffset
	89:  {Forwarding, unsigned, 4},     // forwardingStatus
	136: {EndReason, unsigned, 1},      // flowEndReason
	192: {IPTTL, unsigned, 1},          // ipTTL
	225: {SrcAddrNAT, address, 4},      // postNATSourceIPv4Address
	226: {DstAddrNAT, address, 4},      // postNATDestinationIPv4Address
	227: {SrcPortNAT, unsigned, 2},     // postNAPTSourceTransportPort
	228: {DstPortNAT, unsigned, 2},     // postNAPTDestinationTransportPort
	230: {NATEvent, unsigned, 1},       // natEvent
	233: {FirewallEvent, unsigned, 1},  // firewallEvent
	234: {InVRF, unsigned, 4},          // ingressVRFID
	235: {OutVRF, unsigned, 4},         // egressVRFID
	281: {SrcAddrNAT, address, 16},     // postNATSourceIPv6Address
	282: {DstAddrNAT, address, 16},     // postNATDestinationIPv6Address
}

// nearly are the elements that stand in for those that are exact and missing, the
// nearest first. Addresses stand in for that of their own family.
var nearly = map[Column][]struct {
	id uint16
	element
}{
	Bytes: {
		{85, element{size: 8}},  // octetTotalCount
		{231, element{size: 8}}, // initiatorOctets
		{23, element{size: 8}},  // postOctetDeltaCount
		{171, element{size: 8}}, // postOctetTotalCount
		{352, element{size: 8}}, // layer2OctetDeltaCount
		{353, element{size: 8}}, // layer2OctetTotalCount
		{312, element{size: 2}}, // dataLinkFrameSize
	},
	Packets: {
		{86, element{size: 8}},  // packetTotalCount
		{298, element{size: 8}}, // initiatorPackets
		{24, element{size: 8}},  // postPacketDeltaCount
		{172, element{size: 8}}, // postPacketTotalCount
	},
	SrcPort: {{180, element{size: 2}}, {182, element{size: 2}}},                               // udpSourcePort, tcpSourcePort
	DstPort: {{181, element{size: 2}}, {183, element{size: 2}}},                               // udpDestinationPort, tcpDestinationPort
	SrcAddr: {{44, element{kind: address, size: 4}}, {170, element{kind: address, size: 16}}}, // sourceIPv4Prefix, sourceIPv6Prefix
	DstAddr: {{45, element{kind: address, size: 4}}, {169, element{kind: address, size: 16}}}, // destinationIPv4Prefix, …IPv6Prefix
	NextHop: {{18, element{kind: address, size: 4}}, {63, element{kind: address, size: 16}}},  // bgpNextHopIPv4Address, …IPv6Address
	InIf:    {{252, element{size: 4}}},                                                        // ingressPhysicalInterface
	OutIf:   {{253, element{size: 4}}},                                                        // egressPhysicalInterface
	SrcAS:   {{129, element{size: 4}}},                                                        // bgpPrevAdjacentAsNumber
	DstAS:   {{128, element{size: 4}}},                                                        // bgpNextAdjacentAsNumber
	SrcMAC:  {{81, element{size: 6}}},                                                         // postSourceMacAddress
	DstMAC:  {{57, element{size: 6}}},                                                         // postDestinationMacAddress
	SrcVLAN: {{243, element{size: 2}}},                                                        // dot1qVlanId
	DstVLAN: {{254, element{size: 2}}},                                                        // postDot1qVlanId
	IPTTL:   {{52, element{size: 1}}},                                                         // minimumTTL
	// Cisco ASAs number translation and event apart (NSEL, NF_F_XLATE_… and NF_F_FW_EVENT).
	SrcAddrNAT:    {{40001, element{kind: address, size: 4}}},
	DstAddrNAT:    {{40002, element{kind: address, size: 4}}},
	SrcPortNAT:    {{40003, element{size: 2}}},
	DstPortNAT:    {{40004, element{size: 2}}},
	FirewallEvent: {{40005, element{size: 1}}},
}

// width is how many bits a column of flow has; 64 where it is not here.
var width = map[Column]int{
	SrcPort: 16, DstPort: 16, Protocol: 8, IPVersion: 8, TCPFlags: 16, TOS: 8, ICMPType: 8, ICMPCode: 8,
	EndReason: 8, Forwarding: 8, InIf: 32, OutIf: 32, SrcVLAN: 16, DstVLAN: 16, SrcAS: 32, DstAS: 32,
	SrcMask: 8, DstMask: 8, InVRF: 32, OutVRF: 32, IPTTL: 8, FragmentID: 32, FragmentOffset: 16,
	SrcPortNAT: 16, DstPortNAT: 16, NATEvent: 8, FirewallEvent: 8, Sampling: 32,
}

// find gives the first field of the element that holds something: of a repeated one
// the first is about the outermost header (RFC 7011 §8).
func (r *Record) find(id uint16) (v []byte, ok bool) {
	i := slices.IndexFunc(r.Fields, func(f Field) bool { return f.PEN == 0 && f.ID == id && len(f.Value) > 0 })
	if i < 0 {
		return nil, false
	}
	return r.Fields[i].Value, true
}

// read reads a value; ok is false where the registry does not allow its length.
func (e element) read(c Column, v []byte) (value Value, ok bool) {
	ok = len(v) <= e.size
	switch e.kind {
	case address:
		var a [16]byte
		switch e.size {
		case 4:
			a[10], a[11] = 0xff, 0xff
			copy(a[12:], v)
		case 16:
			copy(a[:], v)
		}
		return Addr(a), len(v) == e.size
	case fromOne:
		if n := be(v); n <= 1 {
			return Number(n + 1), ok
		}
		return Value{}, ok
	case label:
		return Number(be(v) >> 4), len(v) == e.size
	}
	n := be(v)
	if bits, narrow := width[c]; narrow {
		n &= 1<<bits - 1
	}
	return Number(n), ok
}
