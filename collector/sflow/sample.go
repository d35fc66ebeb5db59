package sflow

import (
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/collector"
	"tapwatch/flow"
)

// samples goes through the samples of a datagram. It is false where they were not
// all read.
func (r *reader) samples(b *flow.Batch, subAgent uint32, data []byte, d *collector.Datagram) bool {
	const head = 8
	first := b.Len()
	for len(data) >= head {
		format, length := binary.BigEndian.Uint32(data), uint64(binary.BigEndian.Uint32(data[4:]))
		if length > uint64(len(data)-head) {
			d.Tally.Drop(collector.Truncated, 1)
			return false
		}
		if b.Len()-first >= collector.MaxRecords {
			d.Tally.Drop(collector.RecordLimit, 1)
			return false
		}
		r.sample(b, subAgent, format, data[head:head+length], d)
		data = data[head+length:]
	}
	if len(data) > 0 {
		d.Tally.Drop(collector.TrailingBytes, 1)
	}
	return true
}

// sample reads one sample. Formats have the enterprise in the upper 20 bits.
func (r *reader) sample(b *flow.Batch, subAgent, format uint32, data []byte, d *collector.Datagram) {
	switch format {
	case sflow.SAMPLE_FORMAT_COUNTER, sflow.SAMPLE_FORMAT_EXPANDED_COUNTER:
		d.Tally.OptionsRecords++
	case sflow.SAMPLE_FORMAT_FLOW, sflow.SAMPLE_FORMAT_EXPANDED_FLOW:
		r.flowSample(b, subAgent, format, data, d)
	default:
		d.Tally.Drop(collector.UnsupportedSample, 1)
	}
}

// flowSample reads a flow sample: one record. Samples whose records are all broken
// still say that a packet went from one interface to another.
func (r *reader) flowSample(b *flow.Batch, subAgent, format uint32, data []byte, d *collector.Datagram) {
	f, ok := fixedPart(format, data)
	if !ok {
		d.Tally.Drop(collector.Truncated, 1)
		return
	}
	row := b.Grow(1)
	b.ExportProtocol[row] = flow.ExportSFlow5
	b.ObservationDomain[row] = subAgent
	b.Packets[row] = 1
	b.SamplingInterval[row] = f.rate
	b.InIf[row], b.OutIf[row] = f.input.index(), f.output.index()
	b.Forwarding[row] = f.output.forwarding()
	r.parts.collect(data[f.size:], d.Tally)
	if bad := r.fill(b, row); bad > 0 {
		d.Tally.Drop(collector.DecoderError, bad)
	}
}

// fixed is the part of a flow sample before its records.
type fixed struct {
	rate          uint32
	input, output port
	size          int
}

// fixedPart reads sampling rate and interfaces: in an expanded sample ids are two
// words, format and value, in others one.
func fixedPart(format uint32, data []byte) (f fixed, ok bool) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(data[4*i:]) }
	if format == sflow.SAMPLE_FORMAT_EXPANDED_FLOW {
		if f.size = 44; len(data) < f.size {
			return f, false
		}
		f.rate, f.input, f.output = word(3), port{word(6), word(7)}, port{word(8), word(9)}
		return f, true
	}
	if f.size = 32; len(data) < f.size {
		return f, false
	}
	f.rate, f.input, f.output = word(2), compactPort(word(5)), compactPort(word(6))
	return f, true
}

// port is an interface of a sample: where the packet came in, or what became of it.
type port struct{ format, value uint32 }

// Formats of a port, and the index that stands for the device itself.
const (
	portIndex     = 0
	portDiscarded = 1
	deviceItself  = 0x3fffffff
)

// compactPort reads the one word of a flow sample: the format is in its upper two
// bits.
func compactPort(v uint32) port { return port{v >> 30, v & 0x3fffffff} }

// index is the SNMP index; 0 for all that is no single interface.
func (p port) index() uint32 {
	const unset = 0xffffffff // of agents that have none to say in 32 bits
	if p.format != portIndex || p.value == deviceItself || p.value == unset {
		return 0
	}
	return p.value
}

// Values of flow.Batch.Forwarding (IPFIX element 89), from the reasons that sFlow
// has for a discarded packet: those of ICMP destination unreachable, and its own.
const (
	droppedUnknown      = 128
	droppedByACL        = 129
	droppedUnroutable   = 131
	droppedFragments    = 133
	droppedTTL          = 137
	droppedByPolicer    = 138
	droppedByRED        = 139
	reasonFragmentation = 4
	reasonTTL           = 257
	reasonACL           = 258
	reasonRED           = 260
	reasonRateLimit     = 261
	reasonTooBig        = 262
)

// forwarding says of an output port why the packet was dropped; 0 where it does not
// say. That a packet was for the device itself is not believed: probes beside the
// network, pmacctd for one, say so of every packet.
func (p port) forwarding() uint8 {
	if p.format != portDiscarded {
		return 0
	}
	switch p.value {
	case 0, 1, 6, 7, 11, 12: // network or host unreachable or unknown
		return droppedUnroutable
	case 9, 10, 13, reasonACL: // prohibited
		return droppedByACL
	case reasonFragmentation, reasonTooBig:
		return droppedFragments
	case reasonTTL:
		return droppedTTL
	case reasonRED:
		return droppedByRED
	case reasonRateLimit:
		return droppedByPolicer
	}
	return droppedUnknown
}
