// Package netflow reads NetFlow v1, v5, v7, v9 and IPFIX into a flow.Batch.
//
// A template is compiled once, when it comes, into a plan: which bytes of a record go
// into which column. A data set is then read column by column, all its records at a
// time; nothing is allocated for a record. The versions without templates are read by
// plans too.
//
// goflow2 reads the template sets. This package stands before it, because what comes
// from the network may be hostile: it walks the sets itself, refuses templates whose
// records take no space, and hands over nothing but whole templates. Header counts
// are not believed: softflowd and others get them wrong.
//
// Which information element fills which column is one table, elements.
package netflow

import (
	"encoding/binary"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
)

const (
	version1     = 1
	version5     = 5
	version7     = 7
	version9     = 9
	versionIPFIX = 10

	// firstTemplate is the least template id; sets below it are templates.
	firstTemplate = 256
)

// What one datagram may make us do: more new templates than any exporter has, and more
// records that waited than one exporter's waiting data holds, unless it is made up of
// records of a byte or two.
const (
	maxTemplates = 512
	maxLate      = 1 << 15
)

// Protocol is the NetFlow family. The zero Protocol is ready for use.
type Protocol struct{}

// Name implements collector.Protocol.
func (Protocol) Name() string { return "netflow" }

// Match implements collector.Protocol: the version is in the first two bytes.
func (Protocol) Match(payload []byte) bool {
	if len(payload) < 2 {
		return false
	}
	switch binary.BigEndian.Uint16(payload) {
	case version1, version5, version7, version9, versionIPFIX:
		return true
	}
	return false
}

// Sessions implements collector.Protocol.
func (Protocol) Sessions(l collector.Limits) func() collector.Session {
	sh := &shared{limits: l}
	return func() collector.Session { return &session{shared: sh} }
}

// shared is what the sessions of one Decoder share.
type shared struct {
	limits collector.Limits
	plans  plans
	// templates and late are how many new templates the datagram may bring, and how
	// many records that waited it may set free.
	templates, late int
	// initAt is when the router started by the latest record that said so.
	initAt int64
	// What follows is scratch space, kept here so that nothing is allocated for a
	// datagram: the message, the rows of a set and one of them, and what it takes to
	// read them.
	message  message
	rows     rows
	one      rows
	record   record
	samplers []uint64
	ends     []int32
	spans    []span
	// scratch is a row for options data, which the element table writes to.
	scratch flow.Batch
	// unknown stands for the domains that nothing is remembered of; always empty.
	unknown domain
}

// session is what one exporter has said.
type session struct {
	shared  *shared
	domains map[domainKey]*domain
	// last is the domain of the last message, which mostly is that of the next.
	last    *domain
	lastKey domainKey

	// What is remembered, over all domains; see collector.Size.
	templates, fields         int
	waitingSets, waitingBytes int

	sparedAt time.Time
	// connected says that the session is of a connection: its templates are for as long
	// as that (RFC 7011 §8.1), used or not.
	connected bool
}

// Decode implements collector.Session.
func (s *session) Decode(b *flow.Batch, g *collector.Datagram) int8 {
	version := binary.BigEndian.Uint16(g.Payload)
	s.connected = g.Connected
	s.shared.templates, s.shared.late = maxTemplates, maxLate
	switch version {
	case version9:
		s.decode9(b, g)
	case versionIPFIX:
		s.decodeIPFIX(b, g)
	default:
		s.decodeLegacy(b, version, g)
	}
	return exportProtocol(version)
}

// Size implements collector.Session.
func (s *session) Size() collector.Size {
	return collector.Size{
		Templates: s.templates, TemplateFields: s.fields,
		WaitingSets: s.waitingSets, WaitingBytes: s.waitingBytes,
	}
}

// SamplingIntervals implements collector.Session.
func (s *session) SamplingIntervals() []uint32 {
	var all []uint32
	for _, d := range s.domains {
		for _, n := range d.samplers.intervals {
			all = append(all, n)
		}
	}
	return all
}

func exportProtocol(version uint16) int8 {
	switch version {
	case version1:
		return flow.ExportNetFlow1
	case version5:
		return flow.ExportNetFlow5
	case version7:
		return flow.ExportNetFlow7
	case version9:
		return flow.ExportNetFlow9
	}
	return flow.ExportIPFIX
}
