package goflowref

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/netsampler/goflow2/v2/decoders/sflow"
)

// sflow5 reads sFlow version 5: a record each flow sample. goflow2 is handed one
// sample at a time, and its counts of samples and records as many as there are.
func sflow5(payload []byte) []Record {
	if len(payload) >= 8 && be(payload[4:8]) == 0 {
		// An agent without an address: goflow2 wants one.
		payload = slices.Concat(payload[:4], []byte{0, 0, 0, 1, 0, 0, 0, 0}, payload[8:])
	}
	rest := bytes.NewBuffer(payload)
	var p sflow.Packet
	header := headerLength(payload)
	if header > len(payload) {
		return nil
	}
	if sflow.DecodeMessageVersion(bytes.NewBuffer(payload[:header:header]), &p) != nil && p.SamplesCount <= 1000 {
		return nil
	}
	rest.Next(header)
	var all []Record
	var broken Flags
	for i := uint32(0); rest.Len() >= 8; i++ {
		h := sflow.SampleHeader{}
		h.Format, h.Length = binary.BigEndian.Uint32(rest.Next(4)), binary.BigEndian.Uint32(rest.Next(4))
		if int(h.Length) > rest.Len() {
			break
		}
		r, ok, err := flowSample(&h, bytes.Clone(rest.Next(int(h.Length))))
		if ok {
			r.Values[Domain] = Number(uint64(p.SubAgentId))
			if r.Flags |= broken; i >= p.SamplesCount || p.SamplesCount > 1000 {
				r.Flags |= PastCount
			}
			all = append(all, r)
		}
		if err != nil {
			broken = PastError
		}
	}
	return all
}

// headerLength is that of the datagram's header: it holds the agent's address, IPv4 or
// IPv6.
func headerLength(payload []byte) int {
	if len(payload) >= 8 && binary.BigEndian.Uint32(payload[4:]) == 2 {
		return 40
	}
	return 28
}

// flowSample makes a record of a flow sample; ok is false for others.
func flowSample(h *sflow.SampleHeader, data []byte) (r Record, ok bool, err error) {
	size := map[uint32]int{sflow.SAMPLE_FORMAT_FLOW: 32, sflow.SAMPLE_FORMAT_EXPANDED_FLOW: 44}[h.Format]
	if size == 0 {
		_, counters := map[uint32]bool{2: true, 4: true}[h.Format]
		if !counters {
			err = bytes.ErrTooLarge // goflow2 knows no other formats, and stops
		}
		return r, false, err
	}
	if len(data) < size {
		return r, false, bytes.ErrTooLarge
	}
	r.Flags |= repair(data[size:])
	claimed, there := binary.BigEndian.Uint32(data[size-4:]), count(data[size:])
	binary.BigEndian.PutUint32(data[size-4:], uint32(there))
	sample, err := sflow.DecodeSample(h, bytes.NewBuffer(data))
	var records []sflow.FlowRecord
	switch s := sample.(type) {
	case sflow.FlowSample:
		r.sample(s.SamplingRate, s.Input>>30, s.Input&0x3fffffff, s.Output>>30, s.Output&0x3fffffff)
		records = s.Records
	case sflow.ExpandedFlowSample:
		r.sample(s.SamplingRate, s.InputIfFormat, s.InputIfValue, s.OutputIfFormat, s.OutputIfValue)
		records = s.Records
	default:
		return r, false, err
	}
	if err != nil {
		records = r.each(data[size:])
		r.Flags |= PastError
	}
	if int(claimed) != there {
		r.Flags |= PastCount
	}
	r.flowRecords(records)
	return r, true, err
}

// each decodes records one by one, of each format the first, and notes the columns of
// those that goflow2 refuses.
func (r *Record) each(data []byte) (all []sflow.FlowRecord) {
	seen := make(map[uint32]bool)
	for len(data) >= 8 {
		h := sflow.RecordHeader{DataFormat: binary.BigEndian.Uint32(data), Length: binary.BigEndian.Uint32(data[4:])}
		data = data[8:]
		if int(h.Length) > len(data) {
			break
		}
		record, err := sflow.DecodeFlowRecord(&h, bytes.NewBuffer(data[:h.Length]))
		first := !seen[h.DataFormat]
		seen[h.DataFormat] = true
		if err != nil {
			for _, c := range refusable[h.DataFormat] {
				r.Refused |= 1 << c
			}
		} else if first {
			all = append(all, record)
		}
		data = data[h.Length:]
	}
	return all
}

// refusable are the columns that a record fills which goflow2 may refuse though it is
// good: of an address of unknown type, which has no bytes; of longer AS paths.
var refusable = map[uint32][]Column{
	sflow.FLOW_TYPE_EXT_ROUTER:  {NextHop, SrcMask, DstMask},
	sflow.FLOW_TYPE_EXT_GATEWAY: {NextHop, SrcAS, DstAS},
}

// sample says what the sample itself does. Interfaces have a format; 0 is an index, of
// which two values stand for none (the device itself).
func (r *Record) sample(rate, inFormat, in, outFormat, out uint32) {
	r.Values[Export], r.Values[Packets], r.Values[Sampling] = Number(105), Number(1), Number(uint64(rate))
	if inFormat == 0 && in != 0x3fffffff && in != 0xffffffff {
		r.Values[InIf] = Number(uint64(in))
	}
	r.OutFormat, r.OutPort = outFormat, out
	if outFormat == 0 && out != 0x3fffffff && out != 0xffffffff {
		r.Values[OutIf] = Number(uint64(out))
	}
}

// flowRecords says what the records of a sample do: first the packet's own headers,
// then what the switch made of it. Of a kind that is repeated, each counts.
func (r *Record) flowRecords(records []sflow.FlowRecord) {
	for i := range records {
		switch v := records[i].Data.(type) {
		case sflow.SampledHeader:
			kind, known := map[uint32]int{1: ethernetHeader, 11: ipHeader, 12: ipHeader, 13: mplsHeader}[v.Protocol]
			p := new(Packet)
			p.show(Bytes, uint64(v.FrameLength))
			if known {
				p.read(kind, v.HeaderData[:min(int(v.OriginalLength), len(v.HeaderData))])
			}
			r.packet(p)
		case sflow.SampledIPv4:
			r.sampledIP(&v.SampledIPBase, v.Tos)
		case sflow.SampledIPv6:
			r.sampledIP(&v.SampledIPBase, v.Priority)
		case sflow.SampledEthernet:
			p := new(Packet)
			p.show(Bytes, uint64(v.Length))
			p.show(SrcMAC, be(v.SrcMac))
			p.show(DstMAC, be(v.DstMac))
			r.packet(p)
		}
	}
	for i := range records {
		r.extended(&records[i])
	}
}

// packet says what one record shows of the packet.
func (r *Record) packet(p *Packet) {
	for c := range Columns {
		if p.Known&(1<<c) != 0 {
			r.either(c, p.Values[c])
		}
	}
	if p.Odd {
		r.Flags |= OddHeader
	}
}

// either is oneOf that notes zeros too.
func (r *Record) either(c Column, v Value) {
	if r.Is(c) && r.Values[c] != v {
		r.alternative(c, v)
		return
	}
	r.set(c, v)
}

func (r *Record) sampledIP(v *sflow.SampledIPBase, tos uint32) {
	p := new(Packet)
	p.show(Bytes, uint64(v.Length))
	p.show(Protocol, uint64(v.Protocol&0xff))
	p.show(TOS, uint64(tos&0xff))
	switch uint8(v.Protocol) {
	case 6, 17, 132: // of others they are "equivalents" of ports
		p.show(SrcPort, uint64(v.SrcPort&0xffff))
		p.show(DstPort, uint64(v.DstPort&0xffff))
		p.show(TCPFlags, uint64(v.TcpFlags&0xffff))
	}
	p.Values[SrcAddr], p.Values[DstAddr] = ip(v.SrcIP), ip(v.DstIP)
	p.Known |= 1<<SrcAddr | 1<<DstAddr
	p.show(IPVersion, map[int]uint64{4: 4, 16: 6}[len(v.SrcIP)])
	r.packet(p)
}

func ip(a []byte) Value {
	switch len(a) {
	case 4:
		return Number(0xffff<<32 | be(a))
	case 16:
		return Addr([16]byte(a))
	}
	return Value{}
}
