package netflow

import "encoding/binary"

// element says what one information element (IANA IPFIX registry; NetFlow v9 uses
// the same numbers) means for a record.
type element struct {
	// slot names what the element fills. Of several elements of a template with
	// the same slot only those of the lowest rank are read; slot "" never competes.
	slot string
	rank int
	// write puts the value into the record. It is given the bytes as they are on
	// the wire, of any length from 1 on (reduced-size encoding, RFC 7011 §6.2).
	write func(r *record, v []byte)
}

// elements is the element table. To read another element, add its row here.
//
// Ranks decide where exporters say a thing twice: counters of the incoming side
// before those of the outgoing one (FortiGate repeats 1/2 in 23/24), interval
// before total, layer 3 before layer 2.
var elements = map[uint16]element{
	// What was counted.
	1:   {"bytes", 0, u64(atBytes)},     // octetDeltaCount
	85:  {"bytes", 1, u64(atBytes)},     // octetTotalCount
	231: {"bytes", 2, u64(atBytes)},     // initiatorOctets
	23:  {"bytes", 3, u64(atBytes)},     // postOctetDeltaCount
	171: {"bytes", 4, u64(atBytes)},     // postOctetTotalCount
	352: {"bytes", 5, u64(atBytes)},     // layer2OctetDeltaCount
	353: {"bytes", 6, u64(atBytes)},     // layer2OctetTotalCount
	2:   {"packets", 0, u64(atPackets)}, // packetDeltaCount
	86:  {"packets", 1, u64(atPackets)}, // packetTotalCount
	298: {"packets", 2, u64(atPackets)}, // initiatorPackets
	24:  {"packets", 3, u64(atPackets)}, // postPacketDeltaCount
	172: {"packets", 4, u64(atPackets)}, // postPacketTotalCount

	// The flow key.
	4:   {"", 0, u8(atProtocol)},
	5:   {"tos", 0, u8(atTOS)},
	195: {"tos", 1, func(r *record, v []byte) { r.b.TOS[r.row] = uint8(number(v)) << 2 }}, // ipDiffServCodePoint
	6:   {"", 0, u16(atTCPFlags)},
	7:   {"srcport", 0, u16(atSrcPort)},
	180: {"srcport", 1, u16(atSrcPort)}, // udpSourcePort
	182: {"srcport", 1, u16(atSrcPort)}, // tcpSourcePort
	11:  {"dstport", 0, u16(atDstPort)},
	181: {"dstport", 1, u16(atDstPort)}, // udpDestinationPort
	183: {"dstport", 1, u16(atDstPort)}, // tcpDestinationPort
	8:   {"src4", 0, addr4(atSrcAddr)},
	44:  {"src4", 1, addr4(atSrcAddr)}, // sourceIPv4Prefix
	12:  {"dst4", 0, addr4(atDstAddr)},
	45:  {"dst4", 1, addr4(atDstAddr)}, // destinationIPv4Prefix
	27:  {"src6", 0, addr6(atSrcAddr)},
	170: {"src6", 1, addr6(atSrcAddr)}, // sourceIPv6Prefix
	28:  {"dst6", 0, addr6(atDstAddr)},
	169: {"dst6", 1, addr6(atDstAddr)}, // destinationIPv6Prefix
	60:  {"", 0, u8(atIPVersion)},
	32:  {"icmp4", 1, icmpTypeCode},
	139: {"icmp6", 1, icmpTypeCode},
	176: {"", 0, icmpType},
	177: {"", 0, icmpCode},
	178: {"", 0, icmpType},
	179: {"", 0, icmpCode},

	// The way through the router.
	10:  {"inif", 0, u32(atInIf)},
	252: {"inif", 1, u32(atInIf)}, // ingressPhysicalInterface
	14:  {"outif", 0, u32(atOutIf)},
	253: {"outif", 1, u32(atOutIf)}, // egressPhysicalInterface
	9:   {"", 0, u8(atSrcMask)},
	29:  {"", 0, u8(atSrcMask)},
	13:  {"", 0, u8(atDstMask)},
	30:  {"", 0, u8(atDstMask)},
	15:  {"nexthop4", 0, addr4(atNextHop)},
	18:  {"nexthop4", 1, addr4(atNextHop)}, // bgpNextHopIPv4Address
	62:  {"nexthop6", 0, addr6(atNextHop)},
	63:  {"nexthop6", 1, addr6(atNextHop)}, // bgpNextHopIPv6Address
	16:  {"srcas", 0, u32(atSrcAS)},
	129: {"srcas", 1, u32(atSrcAS)}, // bgpPrevAdjacentAsNumber
	17:  {"dstas", 0, u32(atDstAS)},
	128: {"dstas", 1, u32(atDstAS)}, // bgpNextAdjacentAsNumber
	56:  {"srcmac", 0, u64(atSrcMAC)},
	81:  {"srcmac", 1, u64(atSrcMAC)}, // postSourceMacAddress
	80:  {"dstmac", 0, u64(atDstMAC)},
	57:  {"dstmac", 1, u64(atDstMAC)}, // postDestinationMacAddress
	58:  {"srcvlan", 0, vlan(atSrcVLAN)},
	243: {"srcvlan", 1, vlan(atSrcVLAN)}, // dot1qVlanId
	59:  {"dstvlan", 0, vlan(atDstVLAN)},
	254: {"dstvlan", 1, vlan(atDstVLAN)}, // postDot1qVlanId
	61:  {"", 0, direction},
	89:  {"", 0, u8(atForwarding)},
	136: {"", 0, u8(atEndReason)},

	// When. See times.go.
	21:  {"", 0, func(r *record, v []byte) { r.endUptime, r.hasEndUptime = uint32(number(v)), true }},
	22:  {"", 0, func(r *record, v []byte) { r.startUptime, r.hasStartUptime = uint32(number(v)), true }},
	150: {"start", 3, startAt(seconds)},
	151: {"end", 3, endAt(seconds)},
	152: {"start", 0, startAt(milliseconds)},
	153: {"end", 0, endAt(milliseconds)},
	154: {"start", 1, startAt(ntpTime)},
	155: {"end", 1, endAt(ntpTime)},
	156: {"start", 2, startAt(ntpTime)},
	157: {"end", 2, endAt(ntpTime)},
	158: {"start", 4, startAt(microsecondsBeforeExport)},
	159: {"end", 4, endAt(microsecondsBeforeExport)},
	322: {"end", 8, endAt(seconds)},      // observationTimeSeconds
	323: {"end", 5, endAt(milliseconds)}, // observationTimeMilliseconds
	324: {"end", 6, endAt(ntpTime)},      // observationTimeMicroseconds
	325: {"end", 7, endAt(ntpTime)},      // observationTimeNanoseconds
	160: {"", 0, func(r *record, v []byte) { r.initAt = int64(number(v)) }},
	161: {"duration", 0, func(r *record, v []byte) { r.duration = int64(number(v)) }},
	162: {"duration", 1, func(r *record, v []byte) { r.duration = int64(number(v) / 1000) }},

	// Sampling that the record itself carries. See sampling.go.
	34:  {"", 0, func(r *record, v []byte) { r.sampling.interval = uint32(number(v)) }},
	48:  {"sampler", 1, samplerID},
	302: {"sampler", 0, samplerID},
	50:  {"", 0, func(r *record, v []byte) { r.sampling.randomInterval = uint32(number(v)) }},
	305: {"", 0, func(r *record, v []byte) { r.sampling.packetInterval = number(v) }},
	306: {"", 0, func(r *record, v []byte) { r.sampling.packetSpace = number(v) }},
	309: {"", 0, func(r *record, v []byte) { r.sampling.size = number(v) }},
	310: {"", 0, func(r *record, v []byte) { r.sampling.population = number(v) }},
	311: {"", 0, func(r *record, v []byte) { r.sampling.probability = float(v) }},

	// Sampled packets (RFC 5477).
	312: {"bytes", 7, u64(atBytes)},                                        // dataLinkFrameSize
	313: {"", 0, func(r *record, v []byte) { r.section(v, sectionIP) }},    // ipHeaderPacketSection
	315: {"", 0, func(r *record, v []byte) { r.section(v, sectionFrame) }}, // dataLinkFrameSection
}

// mirrored are the elements that count the way back in the record of the way
// forth, without the enterprise number of RFC 5103: by the element whose reverse
// each is.
var mirrored = map[uint16]uint16{
	232: 231, // responderOctets
	299: 298, // responderPackets
}

// number reads an unsigned integer of any length; of more than 8 bytes the last 8.
func number(v []byte) uint64 {
	if len(v) > 8 {
		v = v[len(v)-8:]
	}
	switch len(v) {
	case 1:
		return uint64(v[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(v))
	case 4:
		return uint64(binary.BigEndian.Uint32(v))
	case 8:
		return binary.BigEndian.Uint64(v)
	}
	var n uint64
	for _, c := range v {
		n = n<<8 | uint64(c)
	}
	return n
}
