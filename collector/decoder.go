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
	name      string
	listed    bool
	limits    Limits
	maxFields int // of the templates of all exporters that are not listed
	protocols []Protocol
	inventory Exporters
	table     *table
	// total counts since the start, for metrics.
	total Tally
}

// NewDecoder makes a Decoder that speaks the given protocols. Of cfg it uses Name,
// Exporters and Limits, which must be valid. inventory says which exporters to
// expect; nil: none is listed.
func NewDecoder(cfg Config, protocols []Protocol, inventory Exporters) *Decoder {
	if inventory == nil {
		inventory = noExporters{}
	}
	return &Decoder{
		name:      cfg.name(),
		listed:    cfg.Exporters == ExportersListed,
		limits:    cfg.limits(),
		maxFields: cfg.Limits.MaxTemplateFieldsTotal,
		protocols: protocols,
		inventory: inventory,
		table:     newTable(cfg.Limits.MaxExporters),
	}
}

// Datagram decodes one datagram and appends its records to b. Exporters are told
// apart by address alone: their ports change when they restart. Whatever is
// dropped is counted; there is no error for a caller to handle. The payload is not
// kept.
func (d *Decoder) Datagram(b *flow.Batch, from netip.AddrPort, receivedAt time.Time, payload []byte) {
	addr := from.Addr().Unmap().WithZone("")
	isListed := d.inventory.Listed(addr)
	t := Tally{Datagrams: 1, Bytes: uint64(len(payload))}
	defer func() { d.total.Add(&t) }()

	e := d.table.get(addr, isListed, receivedAt)
	if e == nil {
		t.Drop(ExporterLimit, 1)
		d.table.rest.Add(&t)
		return
	}
	defer func() { e.total.Add(&t) }()
	e.lastReceivedAt = receivedAt
	if d.listed && !isListed {
		t.Drop(Refused, 1)
		return
	}
	first := b.Len()
	d.decode(b, e, &Datagram{ReceivedAt: receivedAt, Payload: payload, Tally: &t})
	d.complete(b, first, e, receivedAt, d.inventory.SamplingInterval(addr), &t)
	t.Records += uint64(b.Len() - first)
}

// decode hands the datagram to the exporter's session of its protocol.
func (d *Decoder) decode(b *flow.Batch, e *exporter, datagram *Datagram) {
	i := slices.IndexFunc(d.protocols, func(p Protocol) bool { return p.Match(datagram.Payload) })
	if i < 0 {
		datagram.Tally.Drop(UnknownVersion, 1)
		return
	}
	if e.sessions == nil {
		e.sessions = make([]Session, len(d.protocols))
	}
	if e.sessions[i] == nil {
		e.sessions[i] = d.protocols[i].NewSession(d.limits)
	}
	first, s := b.Len(), e.sessions[i]
	before := s.TemplateFields()
	datagram.TemplateFields = d.mayHold(e, before, datagram.ReceivedAt)
	spoken := s.Decode(b, datagram)
	d.table.hold(e, s.TemplateFields()-before)
	if b.Len() > first || s.Templates() > 0 || datagram.Tally.OptionsRecords > 0 {
		d.table.prove(e)
		e.protocols |= protocolBit(spoken)
	}
}

// mayHold gives how many template fields a session of e that has held so many may
// hold. Exporters that fell silent make room for those that send.
func (d *Decoder) mayHold(e *exporter, held int, now time.Time) int {
	if e.rank == listed {
		return math.MaxInt
	}
	for d.maxFields-d.table.fields < d.limits.TemplateFields && d.table.dropIdle(now) {
		continue
	}
	return held + max(0, d.maxFields-d.table.fields)
}

// complete fills what the protocols leave to the caller in the records from first
// on: exporter, time, and the sampling interval that the inventory expects where
// the exporter has not said.
func (d *Decoder) complete(b *flow.Batch, first int, e *exporter, at time.Time, expected uint32, t *Tally) {
	addr, ms := flow.FromAddr(e.addr), at.UnixMilli()
	last := uint32(0)
	for row := first; row < b.Len(); row++ {
		b.Exporter[row], b.ReceivedAt[row] = addr, ms
		n := &b.SamplingInterval[row]
		if *n != last {
			e.intervals.add(*n)
			last = *n
		}
		if *n == 0 {
			*n = expected
		}
		if *n == 0 {
			t.Unsampled++
		}
	}
}

// noExporters is an inventory that lists nobody.
type noExporters struct{}

func (noExporters) Listed(netip.Addr) bool             { return false }
func (noExporters) SamplingInterval(netip.Addr) uint32 { return 0 }

// Dropped counts n things of one exporter that were lost outside of the Decoder:
// in a queue, or by the sink. The zero Addr stands for "not known whose".
func (d *Decoder) Dropped(addr netip.Addr, r Reason, n int) {
	d.total.Drop(r, n)
	if e, ok := d.table.byAddr[addr.Unmap().WithZone("")]; ok {
		e.total.Drop(r, n)
		return
	}
	d.table.rest.Drop(r, n)
}

// Total gives the counts since the start, over all exporters.
func (d *Decoder) Total() Tally { return d.total }
