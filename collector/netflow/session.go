// Package netflow reads NetFlow v5, v7, v9 and IPFIX into a flow.Batch.
//
// goflow2 decodes; this package stands before it, because what comes from the
// network may be hostile: it walks the sets itself, refuses templates whose
// records take no space (goflow2 never returns from a data set of such a
// template) and hands over nothing but whole records. Header counts are not
// believed: softflowd and others get them wrong.
//
// Which information element fills which column is one table, elements. A template
// is compiled against it once, when it comes.
package netflow

import (
	"encoding/binary"
	"time"

	"tapwatch/collector"
	"tapwatch/collector/frame"
	"tapwatch/flow"
)

const (
	version5     = 5
	version7     = 7
	version9     = 9
	versionIPFIX = 10

	// firstTemplate is the least template id; sets below it are templates.
	firstTemplate = 256
)

// Protocol is the NetFlow family. The zero Protocol is ready for use.
type Protocol struct{}

// Match implements collector.Protocol: the version is in the first two bytes.
func (Protocol) Match(payload []byte) bool {
	if len(payload) < 2 {
		return false
	}
	switch binary.BigEndian.Uint16(payload) {
	case version5, version7, version9, versionIPFIX:
		return true
	}
	return false
}

// Name implements collector.Protocol.
func (Protocol) Name() string { return "netflow" }

// Sessions implements collector.Protocol.
func (Protocol) Sessions(l collector.Limits) func() collector.Session {
	return func() collector.Session {
		return &session{
			templates: templates{limits: l, known: make(map[templateKey]*template)},
			samplers:  samplers{intervals: make(map[samplerKey]uint32), only: make(map[domainKey]onlySampler)},
			initAt:    make(map[uint32]int64),
		}
	}
}

// session is what one exporter has said.
type session struct {
	templates templates
	samplers  samplers
	// initAt is when the router started, in Unix milliseconds, by IPFIX
	// observation domain (element 160 in options data).
	initAt map[uint32]int64
	frames frame.Decoder
	// scratch is a row for options data, which the element table writes to and
	// nobody reads.
	scratch flow.Batch
}

// Decode implements collector.Session.
func (s *session) Decode(b *flow.Batch, d *collector.Datagram) int8 {
	version := binary.BigEndian.Uint16(d.Payload)
	switch version {
	case version5:
		decode5(b, d)
	case version7:
		decode7(b, d)
	case version9:
		s.decode9(b, d)
	case versionIPFIX:
		s.decodeIPFIX(b, d)
	}
	return exportProtocol(version)
}

// Size implements collector.Session.
func (s *session) Size() collector.Size {
	return collector.Size{Templates: len(s.templates.known), TemplateFields: s.templates.fields}
}

// Expire implements collector.Session.
func (s *session) Expire(time.Time, *collector.Tally) {}

// State implements collector.Session.
func (s *session) State() ([]byte, error) { return nil, nil }

// Restore implements collector.Session.
func (s *session) Restore([]byte, *collector.Datagram) error { return nil }

// SamplingIntervals implements collector.Session.
func (s *session) SamplingIntervals() []uint32 {
	all := make([]uint32, 0, len(s.samplers.intervals))
	for _, n := range s.samplers.intervals {
		all = append(all, n)
	}
	return all
}

func exportProtocol(version uint16) int8 {
	switch version {
	case version5:
		return flow.ExportNetFlow5
	case version7:
		return flow.ExportNetFlow7
	case version9:
		return flow.ExportNetFlow9
	}
	return flow.ExportIPFIX
}
