package collector

import (
	"time"

	"tapwatch/flow"
)

// Protocol is one family of export protocols.
type Protocol interface {
	// Match tells by its first bytes whether the datagram is of this family.
	Match(payload []byte) bool
	// NewSession makes the state of one exporter.
	NewSession(Limits) Session
}

// Session is what one exporter has said so far: its templates and its sampling.
// It is not safe for concurrent use.
type Session interface {
	// Decode appends the datagram's records to b and counts in d.Tally whatever it
	// decodes or drops. Of each record it fills all that the protocol offers,
	// SamplingInterval with 0 where the exporter has not said; the caller fills
	// Exporter and ReceivedAt. The result is the export protocol (flow.Export…). It
	// returns for every payload, and its memory stays within the Limits.
	Decode(b *flow.Batch, d *Datagram) (exportProtocol int8)
	// Templates is how many templates are known.
	Templates() int
	// TemplateFields is what they count for in memory, in fields: no more than the
	// Datagram decoded last allowed, or than before if that was more already.
	TemplateFields() int
	// SamplingIntervals are those that the exporter announced apart from its
	// records, in any order.
	SamplingIntervals() []uint32
}

// Datagram is one received datagram.
type Datagram struct {
	ReceivedAt time.Time
	// Payload is valid during the call only.
	Payload []byte
	Tally   *Tally
	// TemplateFields is how many the session may hold, all in all
	// (Session.TemplateFields).
	TemplateFields int
}

// Limits bound what one exporter may make the collector remember.
type Limits struct {
	// TemplatesPerExporter is how many templates, over all observation domains.
	TemplatesPerExporter int
	// TemplateFields is how many fields one template may have.
	TemplateFields int
}

// MaxRecords is how many records of one datagram are taken: more than any
// exporter can pack into 64 KiB with records that carry two addresses.
const MaxRecords = 4096
