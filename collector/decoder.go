package collector

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"tapwatch/flow"
)

// Decoder turns datagrams into records. It opens no sockets and reads no clock:
// the server's workers use one each, replay and tests use it by itself. It is not
// safe for concurrent use.
type Decoder struct {
	name       string
	listedOnly bool
	limits     Limits
	budget     budget // of all exporters that are not listed
	protocols  []Protocol
	newSession []func() Session // by protocol
	inventory  Exporters
	table      *table
	datagram   Datagram // scratch
}

// budget is what sessions may remember together.
type budget struct{ templateFields, waitingBytes int }

// NewDecoder makes a Decoder that speaks the given protocols. Of cfg it uses Name,
// Exporters and Limits, which must be valid. inventory says which exporters to
// expect; nil: none is listed.
func NewDecoder(cfg Config, protocols []Protocol, inventory Exporters) *Decoder {
	if inventory == nil {
		inventory = noExporters{}
	}
	d := &Decoder{
		name:       cfg.CollectorName(),
		listedOnly: cfg.Exporters == ExportersListed,
		limits:     cfg.limits(),
		budget:     budget{cfg.Limits.MaxTemplateFieldsTotal, cfg.Limits.MaxWaitingBytesTotal},
		protocols:  protocols,
		inventory:  inventory,
		table:      newTable(cfg.Limits.MaxExporters),
	}
	for _, p := range protocols {
		d.newSession = append(d.newSession, p.Sessions(d.limits))
	}
	return d
}

// Stream names a connection of an exporter. The zero Stream is none: UDP.
type Stream uint64

// Datagram decodes one datagram and appends its records to b. Exporters are told
// apart by address alone: their ports change when they restart. Whatever is
// dropped is counted; there is no error for a caller to handle. The payload is not
// kept.
func (d *Decoder) Datagram(b *flow.Batch, from netip.AddrPort, receivedAt time.Time, payload []byte) {
	d.Message(b, 0, from, receivedAt, payload)
}

// Message is Datagram for a message that came over a connection. What was said over
// one connection holds there alone (RFC 7011 §8); End forgets it.
func (d *Decoder) Message(b *flow.Batch, stream Stream, from netip.AddrPort, receivedAt time.Time, payload []byte) {
	e := d.exporter(from.Addr().Unmap().WithZone(""), receivedAt)
	if e == nil {
		t := Tally{Datagrams: 1, Bytes: uint64(len(payload))}
		t.Drop(ExporterLimit, 1)
		d.table.rest.Add(&t)
		return
	}
	e.lastReceivedAt = receivedAt
	e.total.Datagrams++
	e.total.Bytes += uint64(len(payload))
	if d.listedOnly && e.rank != listed {
		e.total.Drop(Refused, 1)
		return
	}
	first := b.Len()
	d.datagram = Datagram{ReceivedAt: receivedAt, Payload: payload, Tally: &e.total, Connected: stream != 0}
	d.decode(b, e, e.source(stream))
	d.complete(b, first, e)
}

// exporter gives the entry of an exporter that sent something; nil if there is no room
// for it. The inventory is asked about it once, and again when it has changed.
func (d *Decoder) exporter(addr netip.Addr, now time.Time) *exporter {
	version := d.inventory.Version()
	e := d.table.find(addr)
	if e != nil && e.asked == version {
		d.table.touch(e, e.rank == listed, now)
		return e
	}
	sampling, isListed := d.inventory.Exporter(addr)
	if e = d.table.get(addr, isListed, now); e != nil {
		e.sampling, e.asked = sampling, version
	}
	return e
}

// decode hands the datagram to the source's session of its protocol.
func (d *Decoder) decode(b *flow.Batch, e *exporter, from *source) {
	datagram := &d.datagram
	i := slices.IndexFunc(d.protocols, func(p Protocol) bool { return p.Match(datagram.Payload) })
	if i < 0 {
		e.total.Drop(UnknownVersion, 1)
		return
	}
	s := d.session(from, i)
	d.allow(e, s.size)
	first, options := b.Len(), e.total.OptionsRecords
	protocol := s.Decode(b, datagram)
	size := s.Size()
	d.table.resize(e, &s.size, size)
	if b.Len() > first || size.Templates > 0 || e.total.OptionsRecords > options {
		d.table.prove(e)
		e.protocols |= protocolBit(protocol)
	}
}

// session gives the source's session of a protocol.
func (d *Decoder) session(from *source, protocol int) *spoken {
	if from.sessions == nil {
		from.sessions = make([]spoken, len(d.protocols))
	}
	s := &from.sessions[protocol]
	if s.Session == nil {
		s.Session = d.newSession[protocol]()
	}
	return s
}

// allow says in the datagram how much the session, which is of that size, may hold.
// Exporters that fell silent make room for those that send.
func (d *Decoder) allow(e *exporter, size Size) {
	// One exporter's sessions, of all its connections, share what it may have waiting.
	d.datagram.WaitingBytes = size.WaitingBytes + max(0, d.limits.WaitingBytesPerExporter-e.held.WaitingBytes)
	if e.rank == listed {
		d.datagram.TemplateFields = math.MaxInt
		return
	}
	for d.budget.templateFields-d.table.held.TemplateFields < d.limits.TemplateFields && d.table.dropIdle(d.datagram.ReceivedAt) {
		continue
	}
	d.datagram.TemplateFields = size.TemplateFields + max(0, d.budget.templateFields-d.table.held.TemplateFields)
	d.datagram.WaitingBytes = min(d.datagram.WaitingBytes, size.WaitingBytes+max(0, d.budget.waitingBytes-d.table.held.WaitingBytes))
}

// complete fills what the protocols leave to the caller in the records from first
// on: exporter, time, and the sampling interval that the inventory expects where
// the exporter has not said.
func (d *Decoder) complete(b *flow.Batch, first int, e *exporter) {
	n := b.Len() - first
	if n == 0 {
		return
	}
	ms := d.datagram.ReceivedAt.UnixMilli()
	for i := range b.Exporter[first:] {
		b.Exporter[first+i] = e.bytes
		b.ReceivedAt[first+i] = ms
	}
	last := uint32(0)
	intervals := b.SamplingInterval[first:]
	for i, interval := range intervals {
		if interval != last {
			e.intervals.add(interval)
			last = interval
		}
		if interval == 0 {
			intervals[i] = e.sampling
			if e.sampling == 0 {
				e.total.Unsampled++
			}
		}
	}
	e.total.Records += uint64(n)
}

// End forgets what was said over a connection.
func (d *Decoder) End(stream Stream, from netip.Addr) {
	e, ok := d.table.byAddr[from.Unmap().WithZone("")]
	if !ok || e.streams[stream] == nil {
		return
	}
	ended := e.streams[stream]
	d.expire(e, ended, time.Time{})
	for i := range ended.sessions {
		d.table.resize(e, &ended.sessions[i].size, Size{})
	}
	delete(e.streams, stream)
}

// Expire drops what has been kept for too long. It is to be called now and then.
func (d *Decoder) Expire(now time.Time) {
	for _, e := range d.table.byAddr {
		for from := range e.sources {
			d.expire(e, from, now)
		}
	}
}

// GiveUp counts as dropped what still waits for a template: nothing more will come.
func (d *Decoder) GiveUp() { d.Expire(time.Time{}) }

func (d *Decoder) expire(e *exporter, from *source, now time.Time) {
	for i := range from.sessions {
		if s := &from.sessions[i]; s.Session != nil {
			s.Expire(now, &e.total)
			d.table.resize(e, &s.size, s.Size())
		}
	}
}

// noExporters is an inventory that lists nobody.
type noExporters struct{}

func (noExporters) Exporter(netip.Addr) (uint32, bool) { return 0, false }
func (noExporters) Version() any                       { return noExporters{} }

// Dropped counts n things of one exporter that were lost outside of the Decoder:
// in a queue, or by the sink. The zero Addr stands for "not known whose".
func (d *Decoder) Dropped(addr netip.Addr, r Reason, n int) {
	if e, ok := d.table.byAddr[addr.Unmap().WithZone("")]; ok {
		e.total.Drop(r, n)
		return
	}
	d.table.rest.Drop(r, n)
}

// DroppedAt is Dropped for what came before an exporter was let in: it gets an entry,
// if there is room, so that its health tells of it though nothing of it was decoded.
func (d *Decoder) DroppedAt(now time.Time, addr netip.Addr, r Reason, n int) {
	if d.exporter(addr.Unmap().WithZone(""), now) == nil {
		d.table.rest.Drop(r, n)
		return
	}
	d.Dropped(addr, r, n)
}

// Total gives the counts since the start, over all exporters.
func (d *Decoder) Total() Tally {
	total := d.table.reported
	total.Add(&d.table.rest)
	for _, e := range d.table.byAddr {
		total.Add(&e.total)
	}
	return total
}
