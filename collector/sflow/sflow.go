// Package sflow reads sFlow version 5 into a flow.Batch: one record a flow sample.
//
// goflow2 decodes the flow records; this package walks datagram and samples,
// because goflow2 makes room for as many records as an expanded sample claims to
// have, and gives up a whole datagram for one bad record.
//
// Bytes are the sampled frame's length as the agent exports it, layer 2 included:
// the agent says no other for all packets. Packets is 1.
package sflow

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/collector"
	"tapwatch/collector/frame"
	"tapwatch/flow"
)

const (
	version5 = 5
	// extendedSwitch is the length of an extended switch record.
	extendedSwitch = 16
)

// Protocol is sFlow version 5 (https://sflow.org/sflow_version_5.txt). The zero
// Protocol is ready for use.
type Protocol struct{}

// Match implements collector.Protocol: the version is in the first four bytes.
func (Protocol) Match(payload []byte) bool {
	return len(payload) >= 4 && binary.BigEndian.Uint32(payload) == version5
}

// Name implements collector.Protocol.
func (Protocol) Name() string { return "sflow" }

// Sessions implements collector.Protocol.
func (Protocol) Sessions(collector.Limits) func() collector.Session {
	return func() collector.Session { return &session{} }
}

// session remembers nothing: each sample says all about itself.
type session struct {
	frames frame.Decoder
	// records is scratch space.
	records []sflow.FlowRecord
}

// Size implements collector.Session: sFlow has no templates.
func (s *session) Size() collector.Size { return collector.Size{} }

// Expire implements collector.Session.
func (s *session) Expire(time.Time, *collector.Tally) {}

// State implements collector.Session.
func (s *session) State() ([]byte, error) { return nil, nil }

// Restore implements collector.Session.
func (s *session) Restore([]byte, *collector.Datagram) error { return nil }

// SamplingIntervals implements collector.Session: each sample carries its own.
func (s *session) SamplingIntervals() []uint32 { return nil }

// Decode implements collector.Session.
func (s *session) Decode(b *flow.Batch, d *collector.Datagram) int8 {
	subAgent, samples, ok := header(d.Payload)
	if !ok {
		d.Tally.Drop(collector.Truncated, 1)
		return flow.ExportSFlow5
	}
	s.walk(b, subAgent, samples, d)
	return flow.ExportSFlow5
}

// header reads the datagram header: version, agent address, sub-agent, sequence
// number, uptime, number of samples. The number is not believed.
func header(p []byte) (subAgent uint32, samples []byte, ok bool) {
	const v4, v6 = 1, 2
	if len(p) < 8 {
		return 0, nil, false
	}
	at := 8
	switch binary.BigEndian.Uint32(p[4:]) {
	case v4:
		at += 4
	case v6:
		at += 16
	default:
		return 0, nil, false
	}
	if len(p) < at+16 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint32(p[at:]), p[at+16:], true
}

// walk goes through the samples.
func (s *session) walk(b *flow.Batch, subAgent uint32, data []byte, d *collector.Datagram) {
	const head = 8
	first := b.Len()
	for len(data) >= head {
		format, length := binary.BigEndian.Uint32(data), int(binary.BigEndian.Uint32(data[4:]))
		if length > len(data)-head {
			d.Tally.Drop(collector.Truncated, 1)
			return
		}
		if b.Len()-first >= collector.MaxRecords {
			d.Tally.Drop(collector.RecordLimit, 1)
			return
		}
		s.sample(b, subAgent, format, data[head:head+length], d)
		data = data[head+length:]
	}
	if len(data) > 0 {
		d.Tally.Drop(collector.TrailingBytes, 1)
	}
}

// sample reads one sample. Formats have the enterprise in the upper 20 bits.
func (s *session) sample(b *flow.Batch, subAgent, format uint32, data []byte, d *collector.Datagram) {
	switch format {
	case sflow.SAMPLE_FORMAT_COUNTER, sflow.SAMPLE_FORMAT_EXPANDED_COUNTER:
		d.Tally.OptionsRecords++
	case sflow.SAMPLE_FORMAT_FLOW, sflow.SAMPLE_FORMAT_EXPANDED_FLOW:
		s.flowSample(b, subAgent, format, data, d)
	default:
		d.Tally.Drop(collector.UnsupportedSample, 1)
	}
}

// fixed is the part of a flow sample before its records.
type fixed struct {
	rate, input, output uint32
	size                int
}

// fixedPart reads sampling rate and interfaces: in an expanded sample ids are two
// words, format and value, in others one.
func fixedPart(format uint32, data []byte) (f fixed, ok bool) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(data[4*i:]) }
	if format == sflow.SAMPLE_FORMAT_EXPANDED_FLOW {
		if f.size = 44; len(data) < f.size {
			return f, false
		}
		f.rate, f.input, f.output = word(3), expandedInterface(word(6), word(7)), expandedInterface(word(8), word(9))
		return f, true
	}
	if f.size = 32; len(data) < f.size {
		return f, false
	}
	f.rate, f.input, f.output = word(2), compactInterface(word(5)), compactInterface(word(6))
	return f, true
}

// flowSample reads a flow sample: one record. Samples whose records are all broken
// still say that a packet went from one interface to another.
func (s *session) flowSample(b *flow.Batch, subAgent, format uint32, data []byte, d *collector.Datagram) {
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
	b.InIf[row], b.OutIf[row] = f.input, f.output
	s.records = decodeRecords(s.records[:0], data[f.size:], d)
	s.fill(b, row, s.records)
}

// decodeRecords decodes the flow records of a sample. A bad one is counted and
// does not spoil the others; how many the sample claims to have does not matter.
func decodeRecords(to []sflow.FlowRecord, data []byte, d *collector.Datagram) []sflow.FlowRecord {
	const head = 8
	for len(data) >= head {
		h := sflow.RecordHeader{DataFormat: binary.BigEndian.Uint32(data), Length: binary.BigEndian.Uint32(data[4:])}
		if h.DataFormat == sflow.FLOW_TYPE_EXT_SWITCH {
			// Agents are known that say 6 here, and send all four words.
			h.Length = max(h.Length, extendedSwitch)
		}
		if int(h.Length) > len(data)-head {
			d.Tally.Drop(collector.Truncated, 1)
			break
		}
		r, err := sflow.DecodeFlowRecord(&h, bytes.NewBuffer(data[head:head+int(h.Length)]))
		if err != nil {
			d.Tally.Drop(collector.DecoderError, 1)
		} else {
			to = append(to, r)
		}
		data = data[head+int(h.Length):]
	}
	return to
}

// compactInterface reads an interface of a flow sample: a format in the upper two
// bits, 0 for an SNMP index (others: dropped, several interfaces).
func compactInterface(v uint32) uint32 { return expandedInterface(v>>30, v&0x3fffffff) }

func expandedInterface(format, value uint32) uint32 {
	const none, internal = 0x3fffffff, 0xffffffff
	if format != 0 || value == none || value == internal {
		return 0
	}
	return value
}
