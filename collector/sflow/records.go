package sflow

import (
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/collector"
)

// part is a kind of flow record that has columns, in the order in which they are
// read: what the switch adds is about the packet that the header shows.
type part uint8

const (
	sampledHeader part = iota
	sampledIPv4
	sampledIPv6
	sampledEthernet
	extendedVLANTunnel
	extendedSwitch
	extendedRouter
	extendedGateway
	extendedMPLS
	extendedNAT
	extendedNATPort

	numParts
)

// formatNATPort is the format of ports after translation, of sFlow Port NAT
// Structures (https://sflow.org/sflow_pnat.txt); goflow2 does not name it.
const formatNATPort = 1020

// partOf tells the kind by the format, which has the enterprise in its upper 20
// bits. Others say nothing that has a column: users, URLs, queues, vendors' own.
func partOf(format uint32) (part, bool) {
	switch format {
	case sflow.FLOW_TYPE_RAW:
		return sampledHeader, true
	case sflow.FLOW_TYPE_IPV4:
		return sampledIPv4, true
	case sflow.FLOW_TYPE_IPV6:
		return sampledIPv6, true
	case sflow.FLOW_TYPE_ETH:
		return sampledEthernet, true
	case sflow.FLOW_TYPE_EXT_VLAN_TUNNEL:
		return extendedVLANTunnel, true
	case sflow.FLOW_TYPE_EXT_SWITCH:
		return extendedSwitch, true
	case sflow.FLOW_TYPE_EXT_ROUTER:
		return extendedRouter, true
	case sflow.FLOW_TYPE_EXT_GATEWAY:
		return extendedGateway, true
	case sflow.FLOW_TYPE_EXT_MPLS:
		return extendedMPLS, true
	case sflow.FLOW_TYPE_EXT_NAT:
		return extendedNAT, true
	case formatNATPort:
		return extendedNATPort, true
	}
	return 0, false
}

// parts are the records of one sample: of each kind the first.
type parts struct {
	has  uint32 // a bit a part
	data [numParts][]byte
}

// collect finds the records of a sample. How many the sample claims to have does
// not matter.
func (p *parts) collect(data []byte, t *collector.Tally) {
	const head = 8
	p.has = 0
	for len(data) >= head {
		format, length := binary.BigEndian.Uint32(data), uint64(binary.BigEndian.Uint32(data[4:]))
		if format == sflow.FLOW_TYPE_EXT_SWITCH {
			// Agents are known that say 6 here, and send all four words.
			const whole = 16
			length = max(length, whole)
		}
		if length > uint64(len(data)-head) {
			t.Drop(collector.Truncated, 1)
			return
		}
		if kind, ok := partOf(format); ok && p.has>>kind&1 == 0 {
			p.has |= 1 << kind
			p.data[kind] = data[head : head+length]
		}
		data = data[head+length:]
	}
}
