package collector

import (
	"time"

	"tapwatch/flow"
)

// Protocol is one family of export protocols.
type Protocol interface {
	// Name is the family's, netflow or sflow: what sessions keep over a restart is
	// stored under it.
	Name() string
	// Match tells by its first bytes whether the datagram is of this family.
	Match(payload []byte) bool
	// Sessions gives what makes the sessions of one Decoder. They share scratch space
	// and must be used one after the other.
	Sessions(Limits) func() Session
}

// Session is what one exporter, or one connection of it, has said so far: its
// templates, its sampling, where its sequence numbers are. It is not safe for
// concurrent use.
type Session interface {
	// Decode appends the datagram's records to b and counts in d.Tally whatever it
	// decodes or drops. Of each record it fills all that the protocol offers,
	// SamplingInterval with 0 where the exporter has not said; the caller fills
	// Exporter and ReceivedAt. The result is the export protocol (flow.Export…). It
	// returns for every payload, and its memory stays within the Limits and what the
	// Datagram allows.
	Decode(b *flow.Batch, d *Datagram) (exportProtocol int8)
	// Expire drops what has been kept for too long: templates that nobody used, and
	// data sets that waited for theirs. It is called now and then, also while the
	// exporter is silent; the zero time drops all that waits.
	Expire(now time.Time, t *Tally)
	// Size is what the session remembers.
	Size() Size
	// SamplingIntervals are those that the exporter announced apart from its
	// records, in any order.
	SamplingIntervals() []uint32
	// State is what the session wants to know again after a restart, as JSON; nil if
	// there is nothing.
	State() ([]byte, error)
	// Restore takes what State gave, before the first Decode. What the Limits or d do
	// not allow is left out and counted. An error says that the state is damaged; the
	// session is usable all the same.
	Restore(state []byte, d *Datagram) error
}

// Size is what a session remembers.
type Size struct {
	Templates int
	// TemplateFields is what the templates count for in memory, in fields: no more
	// than the Datagram decoded last allowed, or than before if that was more already.
	TemplateFields int
	// WaitingSets is how many data sets wait for their template, and WaitingBytes what
	// they count for; the same holds for them.
	WaitingSets, WaitingBytes int
}

// Datagram is one received datagram, or one message of a connection.
type Datagram struct {
	ReceivedAt time.Time
	// Payload is valid during the call only.
	Payload []byte
	Tally   *Tally
	// Connected says that it came over a connection (TCP, TLS, DTLS), for which the
	// session is: there templates may be withdrawn (RFC 7011 §8.1).
	Connected bool
	// TemplateFields and WaitingBytes are how much the session may hold, all in all
	// (Size).
	TemplateFields, WaitingBytes int
}

// Limits bound what one exporter may make the collector remember.
type Limits struct {
	// TemplatesPerExporter is how many templates, over all observation domains.
	TemplatesPerExporter int
	// TemplateFields is how many fields one template may have.
	TemplateFields int
	// WaitingBytesPerExporter is how much may wait for templates, and TemplateWait
	// for how long.
	WaitingBytesPerExporter int
	TemplateWait            time.Duration
	// TemplateLifetime is after how long without use a template is forgotten.
	TemplateLifetime time.Duration
}

// MaxRecords is how many records of one datagram are taken: more than any
// exporter can pack into 64 KiB with records that carry two addresses.
const MaxRecords = 4096
