package netflow

import "tapwatch/flow"

// element says what one information element (IANA IPFIX registry; NetFlow v9 uses
// the same numbers) means for a record.
type element struct {
	// slot names what the element fills. Of several elements of a template with
	// the same slot only those of the lowest rank are read; slot "" never competes.
	slot string
	rank int
	// fill reads the field of all records of a set into a column.
	fill fillers
	// note, of the elements without fill, takes the field of one record for what the
	// record says by several elements together. It is given the bytes as they are on
	// the wire, of any length from 1 on. Of the elements that have both, note is for
	// records that say when the router started.
	note func(r *record, v []byte)
}

// rankUptime puts uptimes after all absolute times: where a record has a start or an
// end already, they do not replace it.
const rankUptime = 100

// systemInit is the element that says when the router started.
const systemInit = 160

// elements is the element table. To read another element, add its row here.
//
// Ranks decide where exporters say a thing twice: counters of the incoming side
// before those of the outgoing one (FortiGate repeats 1/2 in 23/24), interval
// before total, layer 3 before layer 2.
var elements = map[uint16]element{
	// What was counted.
	1:   {"bytes", 0, column(atBytes), nil},     // octetDeltaCount
	85:  {"bytes", 1, column(atBytes), nil},     // octetTotalCount
	231: {"bytes", 2, column(atBytes), nil},     // initiatorOctets
	23:  {"bytes", 3, column(atBytes), nil},     // postOctetDeltaCount
	171: {"bytes", 4, column(atBytes), nil},     // postOctetTotalCount
	352: {"bytes", 5, column(atBytes), nil},     // layer2OctetDeltaCount
	353: {"bytes", 6, column(atBytes), nil},     // layer2OctetTotalCount
	2:   {"packets", 0, column(atPackets), nil}, // packetDeltaCount
	86:  {"packets", 1, column(atPackets), nil}, // packetTotalCount
	298: {"packets", 2, column(atPackets), nil}, // initiatorPackets
	24:  {"packets", 3, column(atPackets), nil}, // postPacketDeltaCount
	172: {"packets", 4, column(atPackets), nil}, // postPacketTotalCount

	// The flow key.
	4:   {"", 0, column(atProtocol), nil},
	5:   {"tos", 0, column(atTOS), nil},
	195: {"tos", 1, each(func(r *rows, row int, v uint64) { r.b.TOS[row] = uint8(v) << 2 }), nil}, // ipDiffServCodePoint
	6:   {"", 0, column(atTCPFlags), nil},
	7:   {"srcport", 0, column(atSrcPort), nil},
	180: {"srcport", 1, either(atSrcPort), nil}, // udpSourcePort
	182: {"srcport", 1, either(atSrcPort), nil}, // tcpSourcePort
	11:  {"dstport", 0, column(atDstPort), nil},
	181: {"dstport", 1, either(atDstPort), nil}, // udpDestinationPort
	183: {"dstport", 1, either(atDstPort), nil}, // tcpDestinationPort
	8:   {"src4", 0, address4(atSrcAddr), nil},
	44:  {"src4", 1, address4(atSrcAddr), nil}, // sourceIPv4Prefix
	12:  {"dst4", 0, address4(atDstAddr), nil},
	45:  {"dst4", 1, address4(atDstAddr), nil}, // destinationIPv4Prefix
	27:  {"src6", 0, address6(atSrcAddr), nil},
	170: {"src6", 1, address6(atSrcAddr), nil}, // sourceIPv6Prefix
	28:  {"dst6", 0, address6(atDstAddr), nil},
	169: {"dst6", 1, address6(atDstAddr), nil}, // destinationIPv6Prefix
	60:  {"", 0, column(atIPVersion), nil},
	32:  {"icmp4", 1, each(icmpTypeCode), nil},
	139: {"icmp6", 1, each(icmpTypeCode), nil},
	176: {"", 0, either(atICMPType), nil},
	177: {"", 0, either(atICMPCode), nil},
	178: {"", 0, either(atICMPType), nil},
	179: {"", 0, either(atICMPCode), nil},
	192: {"ttl", 0, column(atIPTTL), nil},
	52:  {"ttl", 1, column(atIPTTL), nil}, // minimumTTL
	54:  {"", 0, column(atFragmentID), nil},
	88:  {"", 0, column(atFragmentOffset), nil},

	// The way through the router.
	10:  {"inif", 0, column(atInIf), nil},
	252: {"inif", 1, column(atInIf), nil}, // ingressPhysicalInterface
	14:  {"outif", 0, column(atOutIf), nil},
	253: {"outif", 1, column(atOutIf), nil}, // egressPhysicalInterface
	9:   {"", 0, either(atSrcMask), nil},
	29:  {"", 0, either(atSrcMask), nil},
	13:  {"", 0, either(atDstMask), nil},
	30:  {"", 0, either(atDstMask), nil},
	15:  {"nexthop4", 0, address4(atNextHop), nil},
	18:  {"nexthop4", 1, address4(atNextHop), nil}, // bgpNextHopIPv4Address
	62:  {"nexthop6", 0, address6(atNextHop), nil},
	63:  {"nexthop6", 1, address6(atNextHop), nil}, // bgpNextHopIPv6Address
	16:  {"srcas", 0, column(atSrcAS), nil},
	129: {"srcas", 1, column(atSrcAS), nil}, // bgpPrevAdjacentAsNumber
	17:  {"dstas", 0, column(atDstAS), nil},
	128: {"dstas", 1, column(atDstAS), nil}, // bgpNextAdjacentAsNumber
	56:  {"srcmac", 0, column(atSrcMAC), nil},
	81:  {"srcmac", 1, column(atSrcMAC), nil}, // postSourceMacAddress
	80:  {"dstmac", 0, column(atDstMAC), nil},
	57:  {"dstmac", 1, column(atDstMAC), nil}, // postDestinationMacAddress
	58:  {"srcvlan", 0, vlan(atSrcVLAN), nil},
	243: {"srcvlan", 1, vlan(atSrcVLAN), nil}, // dot1qVlanId
	59:  {"dstvlan", 0, vlan(atDstVLAN), nil},
	254: {"dstvlan", 1, vlan(atDstVLAN), nil}, // postDot1qVlanId
	70:  {"", 0, label(atMPLSLabel1), nil},    // mplsTopLabelStackSection
	71:  {"", 0, label(atMPLSLabel2), nil},    // mplsLabelStackSection2
	72:  {"", 0, label(atMPLSLabel3), nil},    // mplsLabelStackSection3
	61:  {"", 0, direction, nil},
	89:  {"", 0, column(atForwarding), nil},
	136: {"", 0, column(atEndReason), nil},
	234: {"", 0, column(atInVRF), nil},  // ingressVRFID
	235: {"", 0, column(atOutVRF), nil}, // egressVRFID

	// Translation, and what a firewall did. An ASA before 8.4 has numbers of its own
	// (Cisco, "ASA NetFlow Implementation Guide").
	225:   {"srcnat4", 0, address4(atSrcAddrNAT), nil},
	226:   {"dstnat4", 0, address4(atDstAddrNAT), nil},
	281:   {"", 0, address6(atSrcAddrNAT), nil},
	282:   {"", 0, address6(atDstAddrNAT), nil},
	227:   {"srcportnat", 0, column(atSrcPortNAT), nil},
	228:   {"dstportnat", 0, column(atDstPortNAT), nil},
	230:   {"", 0, column(atNATEvent), nil},
	233:   {"firewall", 0, column(atFirewallEvent), nil},
	40001: {"srcnat4", 1, address4(atSrcAddrNAT), nil},
	40002: {"dstnat4", 1, address4(atDstAddrNAT), nil},
	40003: {"srcportnat", 1, column(atSrcPortNAT), nil},
	40004: {"dstportnat", 1, column(atDstPortNAT), nil},
	40005: {"firewall", 1, column(atFirewallEvent), nil},

	// When. See times.go.
	152:        {"start", 0, millisecondsInto(atStart), nil},
	154:        {"start", 1, timeInto(atStart, ntpTime), nil},
	156:        {"start", 2, timeInto(atStart, ntpTime), nil},
	150:        {"start", 3, timeInto(atStart, seconds), nil},
	158:        {"start", 4, timeInto(atStart, microsecondsBeforeExport), nil},
	153:        {"end", 0, millisecondsInto(atEnd), nil},
	155:        {"end", 1, timeInto(atEnd, ntpTime), nil},
	157:        {"end", 2, timeInto(atEnd, ntpTime), nil},
	151:        {"end", 3, timeInto(atEnd, seconds), nil},
	159:        {"end", 4, timeInto(atEnd, microsecondsBeforeExport), nil},
	323:        {"end", 5, millisecondsInto(atEnd), nil},  // observationTimeMilliseconds
	324:        {"end", 6, timeInto(atEnd, ntpTime), nil}, // observationTimeMicroseconds
	325:        {"end", 7, timeInto(atEnd, ntpTime), nil}, // observationTimeNanoseconds
	322:        {"end", 8, timeInto(atEnd, seconds), nil}, // observationTimeSeconds
	22:         {"", rankUptime, uptimeInto(atStart), func(r *record, v []byte) { r.startUptime, r.hasStartUptime = uint32(number(v)), true }},
	21:         {"", rankUptime, uptimeInto(atEnd), func(r *record, v []byte) { r.endUptime, r.hasEndUptime = uint32(number(v)), true }},
	systemInit: {"", 0, fillers{}, func(r *record, v []byte) { r.initAt = milliseconds(nil, number(v), 8) }},
	161:        {"duration", 0, fillers{}, func(r *record, v []byte) { r.duration = int64(uint32(number(v))) }},
	162:        {"duration", 1, fillers{}, func(r *record, v []byte) { r.duration = int64(uint32(number(v))) / 1000 }},

	// Sampling that the record itself carries. See sampling.go.
	34:  {"", 0, either(atSamplingInterval), nil}, // samplingInterval
	50:  {"", 0, each(randomInterval), nil},       // samplerRandomInterval
	302: {"sampler", 0, each(nameSampler), nil},
	48:  {"sampler", 1, each(nameSampler), nil},
	305: {"", 0, fillers{}, func(r *record, v []byte) { r.selection.packetInterval = number(v) }},
	306: {"", 0, fillers{}, func(r *record, v []byte) { r.selection.packetSpace = number(v) }},
	309: {"", 0, fillers{}, func(r *record, v []byte) { r.selection.size = number(v) }},
	310: {"", 0, fillers{}, func(r *record, v []byte) { r.selection.population = number(v) }},
	311: {"", 0, fillers{}, func(r *record, v []byte) { r.selection.probability = float(v) }},

	// Sampled packets (RFC 5477).
	312: {"bytes", 7, column(atBytes), nil},                                           // dataLinkFrameSize
	313: {"", 0, fillers{}, func(r *record, v []byte) { r.section(v, sectionIP) }},    // ipHeaderPacketSection
	315: {"", 0, fillers{}, func(r *record, v []byte) { r.section(v, sectionFrame) }}, // dataLinkFrameSection
}

// mirrored are the elements that count the way back in the record of the way
// forth, without the enterprise number of RFC 5103: by the element whose reverse
// each is.
var mirrored = map[uint16]uint16{
	232: 231, // responderOctets
	299: 298, // responderPackets
}

// tellsICMP are the elements that say type and code of ICMP apart from the ports.
var tellsICMP = map[uint16]bool{32: true, 139: true, 176: true, 177: true, 178: true, 179: true}

// The columns that the table fills.

func atBytes(b *flow.Batch) *[]uint64            { return &b.Bytes }
func atDstAS(b *flow.Batch) *[]uint32            { return &b.DstAS }
func atDstAddr(b *flow.Batch) *[][16]byte        { return &b.DstAddr }
func atDstAddrNAT(b *flow.Batch) *[][16]byte     { return &b.DstAddrNAT }
func atDstMAC(b *flow.Batch) *[]uint64           { return &b.DstMAC }
func atDstMask(b *flow.Batch) *[]uint8           { return &b.DstMask }
func atDstPort(b *flow.Batch) *[]uint16          { return &b.DstPort }
func atDstPortNAT(b *flow.Batch) *[]uint16       { return &b.DstPortNAT }
func atDstVLAN(b *flow.Batch) *[]uint16          { return &b.DstVLAN }
func atEndReason(b *flow.Batch) *[]uint8         { return &b.EndReason }
func atEnd(b *flow.Batch) *[]int64               { return &b.EndAt }
func atFirewallEvent(b *flow.Batch) *[]uint8     { return &b.FirewallEvent }
func atForwarding(b *flow.Batch) *[]uint8        { return &b.Forwarding }
func atFragmentID(b *flow.Batch) *[]uint32       { return &b.FragmentID }
func atFragmentOffset(b *flow.Batch) *[]uint16   { return &b.FragmentOffset }
func atICMPCode(b *flow.Batch) *[]uint8          { return &b.ICMPCode }
func atICMPType(b *flow.Batch) *[]uint8          { return &b.ICMPType }
func atIPTTL(b *flow.Batch) *[]uint8             { return &b.IPTTL }
func atIPVersion(b *flow.Batch) *[]uint8         { return &b.IPVersion }
func atInIf(b *flow.Batch) *[]uint32             { return &b.InIf }
func atInVRF(b *flow.Batch) *[]uint32            { return &b.InVRF }
func atMPLSLabel1(b *flow.Batch) *[]uint32       { return &b.MPLSLabel1 }
func atMPLSLabel2(b *flow.Batch) *[]uint32       { return &b.MPLSLabel2 }
func atMPLSLabel3(b *flow.Batch) *[]uint32       { return &b.MPLSLabel3 }
func atNATEvent(b *flow.Batch) *[]uint8          { return &b.NATEvent }
func atNextHop(b *flow.Batch) *[][16]byte        { return &b.NextHop }
func atOutIf(b *flow.Batch) *[]uint32            { return &b.OutIf }
func atOutVRF(b *flow.Batch) *[]uint32           { return &b.OutVRF }
func atPackets(b *flow.Batch) *[]uint64          { return &b.Packets }
func atProtocol(b *flow.Batch) *[]uint8          { return &b.Protocol }
func atSamplingInterval(b *flow.Batch) *[]uint32 { return &b.SamplingInterval }
func atSrcAS(b *flow.Batch) *[]uint32            { return &b.SrcAS }
func atSrcAddr(b *flow.Batch) *[][16]byte        { return &b.SrcAddr }
func atSrcAddrNAT(b *flow.Batch) *[][16]byte     { return &b.SrcAddrNAT }
func atSrcMAC(b *flow.Batch) *[]uint64           { return &b.SrcMAC }
func atSrcMask(b *flow.Batch) *[]uint8           { return &b.SrcMask }
func atSrcPort(b *flow.Batch) *[]uint16          { return &b.SrcPort }
func atSrcPortNAT(b *flow.Batch) *[]uint16       { return &b.SrcPortNAT }
func atSrcVLAN(b *flow.Batch) *[]uint16          { return &b.SrcVLAN }
func atStart(b *flow.Batch) *[]int64             { return &b.StartAt }
func atTCPFlags(b *flow.Batch) *[]uint16         { return &b.TCPFlags }
func atTOS(b *flow.Batch) *[]uint8               { return &b.TOS }
