// Package exporttest decodes exported datagrams with goflow2's decoders, which know
// nothing of the encoders, so that tests can compare what went in with what came
// out.
package exporttest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"

	"tapwatch/flow"
	"tapwatch/simulate/export"
)

// Datagram is what a datagram holds.
type Datagram struct {
	Protocol int8
	Sequence uint32
	Domain   uint32
	// Count is what the header counts: records (NetFlow v5, v9), samples (sFlow).
	Count int
	// Records hold the members that the protocol carries. Times are Unix
	// milliseconds; sFlow carries none.
	Records []export.Record
	// Templates and OptionsRecords count those, Counters counts counter samples.
	Templates, OptionsRecords, Counters int
	// Sampling is what the datagram says of it, 0 nothing.
	Sampling uint32
	// Sources holds, for sFlow, the sample sequence and pool of each flow sample.
	Sources []SampleNumbers
}

// SampleNumbers are the counters of an sFlow flow sample.
type SampleNumbers struct{ Source, Sequence, Pool uint32 }

// Decoder decodes the datagrams of one exporter. The zero Decoder is ready.
type Decoder struct {
	// Boot is when the exporter started, in Unix milliseconds: what its uptimes
	// count from.
	Boot      int64
	templates netflow.NetFlowTemplateSystem
}

// Decode decodes one datagram.
func (d *Decoder) Decode(payload []byte) (Datagram, error) {
	if len(payload) < 4 {
		return Datagram{}, fmt.Errorf("a datagram of %d bytes", len(payload))
	}
	if d.templates == nil {
		d.templates = netflow.CreateTemplateSystem()
	}
	switch binary.BigEndian.Uint16(payload) {
	case 5:
		return d.netflow5(payload)
	case 9, 10:
		return d.templated(payload)
	case 0:
		return sflowDatagram(payload)
	default:
		return Datagram{}, fmt.Errorf("unknown version in % x", payload[:4])
	}
}

func (d *Decoder) netflow5(payload []byte) (Datagram, error) {
	var p netflowlegacy.PacketNetFlowV5
	if err := netflowlegacy.DecodeMessageVersion(bytes.NewBuffer(payload), &p); err != nil {
		return Datagram{}, err
	}
	out := Datagram{
		Protocol: flow.ExportNetFlow5, Sequence: p.FlowSequence, Count: int(p.Count),
		Domain: uint32(p.EngineType)<<8 | uint32(p.EngineId), Sampling: uint32(p.SamplingInterval & 0x3fff),
	}
	addr := func(a netflowlegacy.IPAddress) netip.Addr {
		return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
	}
	for _, r := range p.Records {
		out.Records = append(out.Records, export.Record{
			StartAt: d.Boot + int64(r.First), EndAt: d.Boot + int64(r.Last),
			Src: addr(r.SrcAddr), Dst: addr(r.DstAddr), NextHop: addr(r.NextHop),
			SrcPort: r.SrcPort, DstPort: r.DstPort, Protocol: r.Proto, TCPFlags: r.TCPFlags, TOS: r.Tos,
			Bytes: uint64(r.DOctets), Packets: uint64(r.DPkts), InIf: uint32(r.Input), OutIf: uint32(r.Output),
			SrcAS: uint32(r.SrcAS), DstAS: uint32(r.DstAS), SrcMask: r.SrcMask, DstMask: r.DstMask,
		})
	}
	return out, nil
}

func (d *Decoder) templated(payload []byte) (Datagram, error) {
	var v9 netflow.NFv9Packet
	var ipfix netflow.IPFIXPacket
	if err := netflow.DecodeMessageVersion(bytes.NewBuffer(payload), d.templates, &v9, &ipfix); err != nil {
		return Datagram{}, err
	}
	out := Datagram{Protocol: flow.ExportNetFlow9, Sequence: v9.SequenceNumber, Domain: v9.SourceId, Count: int(v9.Count)}
	sets := v9.FlowSets
	if ipfix.Version == 10 {
		out = Datagram{Protocol: flow.ExportIPFIX, Sequence: ipfix.SequenceNumber, Domain: ipfix.ObservationDomainId}
		sets = ipfix.FlowSets
	}
	for _, set := range sets {
		switch s := set.(type) {
		case netflow.TemplateFlowSet:
			out.Templates += len(s.Records)
		case netflow.NFv9OptionsTemplateFlowSet:
			out.Templates += len(s.Records)
		case netflow.IPFIXOptionsTemplateFlowSet:
			out.Templates += len(s.Records)
		case netflow.OptionsDataFlowSet:
			out.options(s.Records)
		case netflow.DataFlowSet:
			for _, r := range s.Records {
				out.Records = append(out.Records, d.record(r.Values))
			}
		default:
			return Datagram{}, fmt.Errorf("set %T cannot be decoded", set)
		}
	}
	return out, nil
}

// options reads the sampling rate: FLOW_SAMPLER_RANDOM_INTERVAL, or
// samplingPacketInterval and samplingPacketSpace.
func (out *Datagram) options(records []netflow.OptionsDataRecord) {
	for _, r := range records {
		out.OptionsRecords++
		for _, v := range r.OptionsValues {
			switch v.Type {
			case 50, 305, 306:
				out.Sampling += uint32(number(v))
			}
		}
	}
}

func number(v netflow.DataField) uint64 {
	var n uint64
	b, _ := v.Value.([]byte)
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return n
}

func address(v netflow.DataField) netip.Addr {
	b, _ := v.Value.([]byte)
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (d *Decoder) record(values []netflow.DataField) export.Record {
	var r export.Record
	for _, v := range values {
		switch n := number(v); v.Type {
		case 1:
			r.Bytes = n
		case 2:
			r.Packets = n
		case 4:
			r.Protocol = uint8(n)
		case 5:
			r.TOS = uint8(n)
		case 6:
			r.TCPFlags = uint8(n)
		case 7:
			r.SrcPort = uint16(n)
		case 8, 27:
			r.Src = address(v)
		case 9, 29:
			r.SrcMask = uint8(n)
		case 10:
			r.InIf = uint32(n)
		case 11:
			r.DstPort = uint16(n)
		case 12, 28:
			r.Dst = address(v)
		case 13, 30:
			r.DstMask = uint8(n)
		case 14:
			r.OutIf = uint32(n)
		case 15, 62:
			r.NextHop = address(v)
		case 16:
			r.SrcAS = uint32(n)
		case 17:
			r.DstAS = uint32(n)
		case 21:
			r.EndAt = d.Boot + int64(n)
		case 22:
			r.StartAt = d.Boot + int64(n)
		case 32, 139:
			r.ICMPType, r.ICMPCode = uint8(n>>8), uint8(n)
		case 58:
			r.VLAN = uint16(n)
		case 61:
			r.Direction = uint8(n) + 1
		case 136:
			r.EndReason = uint8(n)
		case 152:
			r.StartAt = int64(n)
		case 153:
			r.EndAt = int64(n)
		}
	}
	return r
}
