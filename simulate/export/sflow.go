package export

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// Formats of sFlow v5 structures, all of enterprise 0.
const (
	sampleFlow, sampleCounters = 1, 2
	recordRawHeader            = 1
	recordSwitch               = 1001
	recordRouter               = 1002
	recordGateway              = 1003
	counterGeneric             = 1
	headerProtocolEthernet     = 1
	sflowHeaderBytes           = 28
	// counterSampleBytes is a counter sample with one generic interface record.
	counterSampleBytes = 8 + 12 + 8 + 88
	// interfaceBitsPerSecond is the speed the counters claim.
	interfaceBitsPerSecond = 100_000_000_000
)

// sflow encodes sFlow v5: each Record is one sampled packet. The datagrams of an
// agent are numbered, and so are the samples of each data source (interface).
type sflow struct {
	Options
	buf       []byte // pending datagram; the header comes first and is written last
	samples   uint32
	datagrams uint32
	sources   map[uint32]*source
	countedAt int64
}

// source is one interface, counting what its samples stand for.
type source struct {
	flowSamples, counterSamples uint32
	pool                        uint32
	inBytes, outBytes           uint64
	inPackets, outPackets       uint32
}

func newSFlow(o Options) (*sflow, error) {
	if !o.Agent.Is4() {
		return nil, fmt.Errorf("export: sFlow needs the IPv4 address of its agent, not %q", o.Agent)
	}
	return &sflow{Options: o, buf: make([]byte, sflowHeaderBytes, o.MaxDatagram), sources: map[uint32]*source{}}, nil
}

// Add refuses a record of more than one packet: sFlow samples packets.
func (e *sflow) Add(r *Record, emit Emit) error {
	if r.Packets != 1 {
		return fmt.Errorf("export: an sFlow sample is one packet, not %d", r.Packets)
	}
	start := len(e.buf)
	e.buf = e.appendFlowSample(e.buf, r)
	e.samples++
	if len(e.buf) <= e.MaxDatagram {
		return nil
	}
	sample := slices.Clone(e.buf[start:])
	e.buf = e.buf[:start]
	e.samples--
	if err := e.send(r.ExportedAt, emit); err != nil {
		return err
	}
	e.buf = append(e.buf, sample...)
	e.samples++
	return nil
}

func (e *sflow) Flush(now int64, emit Emit) error {
	if e.due(e.countedAt, now) && len(e.sources) > 0 {
		e.countedAt = now
		for _, index := range slices.Sorted(maps.Keys(e.sources)) {
			if len(e.buf)+counterSampleBytes > e.MaxDatagram {
				if err := e.send(now, emit); err != nil {
					return err
				}
			}
			e.buf = e.sources[index].appendCounters(e.buf, index)
			e.samples++
		}
	}
	return e.send(now, emit)
}

func (e *sflow) Resample(interval uint32) error { return e.resample(interval) }

func (e *sflow) send(now int64, emit Emit) error {
	if e.samples == 0 {
		return nil
	}
	e.datagrams++
	h := binary.BigEndian.AppendUint32(e.buf[:0], 5)
	h = binary.BigEndian.AppendUint32(h, 1) // the agent's address is IPv4
	h = appendAddr4(h, e.Agent)
	h = binary.BigEndian.AppendUint32(h, e.Domain)
	h = binary.BigEndian.AppendUint32(h, e.datagrams)
	h = binary.BigEndian.AppendUint32(h, e.uptime(now))
	binary.BigEndian.AppendUint32(h, e.samples)
	err := emit(e.buf)
	e.buf, e.samples = e.buf[:sflowHeaderBytes], 0
	return err
}

// source returns the interface with that index, which from then on is counted.
func (e *sflow) source(index uint32) *source {
	s, ok := e.sources[index]
	if !ok {
		s = &source{}
		e.sources[index] = s
	}
	return s
}

func (e *sflow) appendFlowSample(b []byte, r *Record) []byte {
	in := e.source(r.InIf)
	in.flowSamples++
	in.pool += e.Sampling
	in.inBytes += r.Bytes * uint64(e.Sampling)
	in.inPackets += e.Sampling
	if r.OutIf != 0 {
		out := e.source(r.OutIf)
		out.outBytes += r.Bytes * uint64(e.Sampling)
		out.outPackets += e.Sampling
	}
	return appendStructure(b, sampleFlow, func(b []byte) []byte {
		b = appendUint32s(b, in.flowSamples, r.InIf, e.Sampling, in.pool, 0, r.InIf, r.OutIf, 4)
		b = appendStructure(b, recordRawHeader, func(b []byte) []byte { return appendRawHeader(b, r) })
		b = appendStructure(b, recordSwitch, func(b []byte) []byte {
			return appendUint32s(b, uint32(r.VLAN), 0, uint32(r.VLAN), 0)
		})
		b = appendStructure(b, recordRouter, func(b []byte) []byte {
			b = appendAddress(b, r)
			return appendUint32s(b, uint32(r.SrcMask), uint32(r.DstMask))
		})
		return appendStructure(b, recordGateway, func(b []byte) []byte { return e.appendGateway(b, r) })
	})
}

func appendRawHeader(b []byte, r *Record) []byte {
	b = appendUint32s(b, headerProtocolEthernet, uint32(frameBytes(r)), fcsBytes, 0)
	lengthAt := len(b) - 4
	b = appendPacket(b, r)
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)-lengthAt-4))
	return append(b, make([]byte, -(len(b)-lengthAt)&3)...)
}

// appendAddress appends the next hop: its type (1 IPv4, 2 IPv6) and its bytes.
func appendAddress(b []byte, r *Record) []byte {
	if r.NextHop.Is6() {
		return appendAddr6(binary.BigEndian.AppendUint32(b, 2), r.NextHop)
	}
	return appendAddr4(binary.BigEndian.AppendUint32(b, 1), r.NextHop)
}

// appendGateway tells the autonomous systems. The AS path to the destination is
// one sequence of one AS, empty where the destination is ours.
func (e *sflow) appendGateway(b []byte, r *Record) []byte {
	const sequence, localPreference = 2, 100
	b = appendAddress(b, r)
	b = appendUint32s(b, e.AS, r.SrcAS, r.SrcAS)
	if r.DstAS == 0 {
		b = appendUint32s(b, 0)
	} else {
		b = appendUint32s(b, 1, sequence, 1, r.DstAS)
	}
	return appendUint32s(b, 0, localPreference)
}

func (s *source) appendCounters(b []byte, index uint32) []byte {
	const ethernetCsmacd, fullDuplex, adminAndOperUp = 6, 1, 3
	s.counterSamples++
	return appendStructure(b, sampleCounters, func(b []byte) []byte {
		b = appendUint32s(b, s.counterSamples, index, 1)
		return appendStructure(b, counterGeneric, func(b []byte) []byte {
			b = appendUint32s(b, index, ethernetCsmacd)
			b = binary.BigEndian.AppendUint64(b, interfaceBitsPerSecond)
			b = appendUint32s(b, fullDuplex, adminAndOperUp)
			b = binary.BigEndian.AppendUint64(b, s.inBytes)
			b = appendUint32s(b, s.inPackets, 0, 0, 0, 0, 0)
			b = binary.BigEndian.AppendUint64(b, s.outBytes)
			return appendUint32s(b, s.outPackets, 0, 0, 0, 0, 0)
		})
	})
}

// appendStructure appends format, length and body of an XDR structure.
func appendStructure(b []byte, format uint32, body func([]byte) []byte) []byte {
	b = appendUint32s(b, format, 0)
	start := len(b)
	b = body(b)
	binary.BigEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

func appendUint32s(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
