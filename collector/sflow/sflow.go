// Package sflow reads sFlow version 5 (https://sflow.org/sflow_version_5.txt) into a
// flow.Batch: one record a flow sample.
//
// It reads the bytes of a datagram straight into the columns, without allocation.
// goflow2's decoder, which is the reference of the tests, allocates for each record,
// makes room for as many as an expanded sample claims to have, gives up a whole
// datagram for one bad record, knows one segment of an AS path, and reads the
// addresses of sampled Ethernet records without their padding.
//
// Bytes are the sampled frame's length as the agent exports it, layer 2 included:
// the agent says no other for all packets. Packets is 1.
package sflow

import (
	"encoding/binary"
	"maps"
	"time"

	"tapwatch/collector"
	"tapwatch/collector/frame"
	"tapwatch/flow"
)

const version5 = 5

// Protocol is sFlow version 5. The zero Protocol is ready for use.
type Protocol struct{}

// Match implements collector.Protocol: the version is in the first four bytes.
func (Protocol) Match(payload []byte) bool {
	return len(payload) >= 4 && binary.BigEndian.Uint32(payload) == version5
}

// Name implements collector.Protocol.
func (Protocol) Name() string { return "sflow" }

// Sessions implements collector.Protocol.
func (Protocol) Sessions(collector.Limits) func() collector.Session {
	shared := new(reader)
	return func() collector.Session { return &session{reader: shared} }
}

// maxAgents is how many agents and sub-agents of one exporter have their sequence
// numbers followed. A router has one a line card at most; a relay has those of the
// routers behind it.
const maxAgents = 64

// session remembers where the sequence numbers are, and nothing else: each sample
// says all about itself.
type session struct {
	reader    *reader
	sequences map[agent]*followed
}

// agent is who numbers datagrams: the agent by the address in the datagram, which
// need not be its source, and the part of it.
type agent struct {
	address  [16]byte
	subAgent uint32
}

// reader is the scratch space of all sessions of a Decoder.
type reader struct {
	frames frame.Decoder
	parts  parts
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
	h, samples, ok := readHeader(d.Payload)
	if !ok {
		d.Tally.Drop(collector.Truncated, 1)
		return flow.ExportSFlow5
	}
	first := b.Len()
	complete := s.reader.samples(b, h.agent.subAgent, samples, d)
	if sequence := s.sequence(h.agent, d.ReceivedAt); sequence != nil {
		sequence.Observe(d.Tally, collector.Numbering{
			Number: h.number, Records: b.Len() - first, RecordsKnown: complete,
			Uptime: h.uptime, HasUptime: true,
		})
	}
	return flow.ExportSFlow5
}

// followed is the sequence of one agent, and when it was heard last.
type followed struct {
	collector.Sequence
	heard time.Time
}

// agentIdle is after how long an agent gives up its place to another.
const agentIdle = 10 * time.Minute

// sequence gives the sequence of the agent; nil for one beyond the limit.
func (s *session) sequence(a agent, now time.Time) *collector.Sequence {
	q := s.sequences[a]
	if q == nil {
		if len(s.sequences) >= maxAgents {
			maps.DeleteFunc(s.sequences, func(_ agent, f *followed) bool { return now.Sub(f.heard) > agentIdle })
		}
		if len(s.sequences) >= maxAgents {
			return nil
		}
		if s.sequences == nil {
			s.sequences = make(map[agent]*followed)
		}
		q = new(followed)
		s.sequences[a] = q
	}
	q.heard = now
	return &q.Sequence
}

// header is what stands before the samples.
type header struct {
	agent  agent
	number uint32 // of the datagram, by agent and sub-agent
	uptime uint32 // milliseconds
}

// readHeader reads version, agent address, sub-agent, sequence number, uptime,
// number of samples. The number is not believed.
func readHeader(p []byte) (h header, samples []byte, ok bool) {
	r := words{data: p}
	r.uint32() // the version
	h.agent.address = r.address()
	h.agent.subAgent, h.number, h.uptime = r.uint32(), r.uint32(), r.uint32()
	r.uint32() // the number of samples
	return h, r.data, !r.bad
}
