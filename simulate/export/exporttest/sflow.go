package exporttest

import (
	"bytes"
	"fmt"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/flow"
	"tapwatch/simulate/export"
)

func sflowDatagram(payload []byte) (Datagram, error) {
	var p sflow.Packet
	if err := sflow.DecodeMessageVersion(bytes.NewBuffer(payload), &p); err != nil {
		return Datagram{}, err
	}
	out := Datagram{Protocol: flow.ExportSFlow5, Sequence: p.SequenceNumber, Domain: p.SubAgentId, Count: int(p.SamplesCount)}
	for _, sample := range p.Samples {
		switch s := sample.(type) {
		case sflow.FlowSample:
			r, err := sampledRecord(s)
			if err != nil {
				return Datagram{}, err
			}
			out.Records = append(out.Records, r)
			out.Sampling = s.SamplingRate
			out.Sources = append(out.Sources, SampleNumbers{s.Header.SourceIdValue, s.Header.SampleSequenceNumber, s.SamplePool})
		case sflow.CounterSample:
			out.Counters++
		default:
			return Datagram{}, fmt.Errorf("sample %T cannot be decoded", sample)
		}
	}
	return out, nil
}

func sampledRecord(s sflow.FlowSample) (export.Record, error) {
	r := export.Record{Packets: 1, InIf: s.Input, OutIf: s.Output}
	for _, record := range s.Records {
		switch data := record.Data.(type) {
		case sflow.SampledHeader:
			if err := packet(&r, data); err != nil {
				return r, err
			}
		case sflow.ExtendedSwitch:
			r.VLAN = uint16(data.SrcVlan)
		case sflow.ExtendedRouter:
			r.NextHop, _ = netip.AddrFromSlice(data.NextHop)
			r.SrcMask, r.DstMask = uint8(data.SrcMaskLen), uint8(data.DstMaskLen)
		case sflow.ExtendedGateway:
			r.SrcAS = data.SrcAS
			if n := len(data.ASPath); n > 0 {
				r.DstAS = data.ASPath[n-1]
			}
		default:
			return r, fmt.Errorf("flow record %T cannot be decoded", record.Data)
		}
	}
	return r, nil
}

// packet reads the sampled header with gopacket.
func packet(r *export.Record, h sflow.SampledHeader) error {
	p := gopacket.NewPacket(h.HeaderData, layers.LayerTypeEthernet, gopacket.Default)
	overhead := uint32(14) + h.Stripped
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.Dot1Q:
			overhead += 4
		case *layers.IPv4:
			r.Src, _ = netip.AddrFromSlice(l.SrcIP)
			r.Dst, _ = netip.AddrFromSlice(l.DstIP)
			r.Protocol, r.TOS, r.Bytes = uint8(l.Protocol), l.TOS, uint64(l.Length)
		case *layers.IPv6:
			r.Src, _ = netip.AddrFromSlice(l.SrcIP)
			r.Dst, _ = netip.AddrFromSlice(l.DstIP)
			r.Protocol, r.TOS, r.Bytes = uint8(l.NextHeader), l.TrafficClass, uint64(l.Length)+40
		case *layers.TCP:
			r.SrcPort, r.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
			r.TCPFlags = l.Contents[13]
		case *layers.UDP:
			r.SrcPort, r.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.SCTP:
			r.SrcPort, r.DstPort = uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.ICMPv4:
			r.ICMPType, r.ICMPCode = l.TypeCode.Type(), l.TypeCode.Code()
		case *layers.ICMPv6:
			r.ICMPType, r.ICMPCode = l.TypeCode.Type(), l.TypeCode.Code()
		}
	}
	if uint64(h.FrameLength-overhead) != r.Bytes {
		return fmt.Errorf("a frame of %d bytes around an IP packet of %d", h.FrameLength, r.Bytes)
	}
	return nil
}
