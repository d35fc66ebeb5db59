package sflow

import (
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/collector/frame"
	"tapwatch/flow"
)

// fill completes the row from the records of its sample. The sampled header comes
// first: what the switch adds (VLANs, routes) is about that packet.
func (s *session) fill(b *flow.Batch, row int, records []sflow.FlowRecord) {
	for i := range records {
		switch v := records[i].Data.(type) {
		case sflow.SampledHeader:
			s.sampledHeader(b, row, &v)
		case sflow.SampledIPv4:
			sampledIP(b, row, &v.SampledIPBase, v.Tos)
		case sflow.SampledIPv6:
			sampledIP(b, row, &v.SampledIPBase, v.Priority)
		case sflow.SampledEthernet:
			sampledEthernet(b, row, &v)
		}
	}
	for i := range records {
		switch v := records[i].Data.(type) {
		case sflow.ExtendedSwitch:
			b.SrcVLAN[row], b.DstVLAN[row] = uint16(v.SrcVlan), uint16(v.DstVlan)
		case sflow.ExtendedRouter:
			b.NextHop[row] = address(v.NextHop)
			b.SrcMask[row], b.DstMask[row] = uint8(v.SrcMaskLen), uint8(v.DstMaskLen)
		case sflow.ExtendedGateway:
			extendedGateway(b, row, &v)
		}
	}
}

// Header protocols of a sampled header (sFlow version 5, header_protocol).
const (
	headerEthernet = 1
	headerIPv4     = 11
	headerIPv6     = 12
	headerMPLS     = 13
)

func (s *session) sampledHeader(b *flow.Batch, row int, v *sflow.SampledHeader) {
	b.Bytes[row] = uint64(v.FrameLength)
	header := v.HeaderData[:min(int(v.OriginalLength), len(v.HeaderData))]
	switch v.Protocol {
	case headerEthernet:
		s.frames.Decode(b, row, frame.Ethernet, header)
	case headerIPv4, headerIPv6:
		s.frames.Decode(b, row, frame.IP, header)
	case headerMPLS:
		s.frames.Decode(b, row, frame.MPLS, header)
	}
}

// sampledIP takes what a switch says that sends no header.
func sampledIP(b *flow.Batch, row int, v *sflow.SampledIPBase, tos uint32) {
	if b.IPVersion[row] != 0 {
		return
	}
	b.IPVersion[row] = 4
	if len(v.SrcIP) == 16 {
		b.IPVersion[row] = 6
	}
	b.SrcAddr[row], b.DstAddr[row] = address(v.SrcIP), address(v.DstIP)
	b.SrcPort[row], b.DstPort[row] = uint16(v.SrcPort), uint16(v.DstPort)
	b.Protocol[row], b.TCPFlags[row], b.TOS[row] = uint8(v.Protocol), uint16(v.TcpFlags), uint8(tos)
	if b.Bytes[row] == 0 {
		b.Bytes[row] = uint64(v.Length)
	}
}

func sampledEthernet(b *flow.Batch, row int, v *sflow.SampledEthernet) {
	b.SrcMAC[row], b.DstMAC[row] = mac(v.SrcMac), mac(v.DstMac)
	if b.Bytes[row] == 0 {
		b.Bytes[row] = uint64(v.Length)
	}
}

// extendedGateway takes the route: the origin of the source, and the last AS of
// the path to the destination.
func extendedGateway(b *flow.Batch, row int, v *sflow.ExtendedGateway) {
	b.SrcAS[row] = v.SrcAS
	if n := len(v.ASPath); n > 0 {
		b.DstAS[row] = v.ASPath[n-1]
	}
	if b.NextHop[row] == ([16]byte{}) {
		b.NextHop[row] = address(v.NextHop)
	}
}

func address(a []byte) [16]byte {
	switch len(a) {
	case 4:
		return flow.From4([4]byte(a))
	case 16:
		return [16]byte(a)
	}
	return [16]byte{}
}

func mac(a []byte) uint64 {
	if len(a) != 6 {
		return 0
	}
	return uint64(binary.BigEndian.Uint16(a))<<32 | uint64(binary.BigEndian.Uint32(a[2:]))
}
