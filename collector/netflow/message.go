package netflow

import (
	"bytes"
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
	"tapwatch/flow"
)

// decode9 reads a NetFlow v9 export packet (RFC 3954 §5.1). Its count is not
// believed: the walk ends where the datagram does.
func (s *session) decode9(b *flow.Batch, d *collector.Datagram) {
	const header = 20
	p := d.Payload
	if len(p) < header {
		d.Tally.Drop(collector.Truncated, 1)
		return
	}
	m := message{
		version:   version9,
		uptime:    binary.BigEndian.Uint32(p[4:]),
		hasUptime: true,
		exportAt:  int64(binary.BigEndian.Uint32(p[8:])) * 1000,
		domain:    binary.BigEndian.Uint32(p[16:]),
	}
	s.walk(b, &m, p[header:], d)
}

// decodeIPFIX reads an IPFIX message (RFC 7011 §3.1).
func (s *session) decodeIPFIX(b *flow.Batch, d *collector.Datagram) {
	const header = 16
	p := d.Payload
	if len(p) < header {
		d.Tally.Drop(collector.Truncated, 1)
		return
	}
	m := message{
		version:  versionIPFIX,
		exportAt: int64(binary.BigEndian.Uint32(p[4:])) * 1000,
		domain:   binary.BigEndian.Uint32(p[12:]),
	}
	if length := int(binary.BigEndian.Uint16(p[2:])); length > len(p) {
		d.Tally.Drop(collector.Truncated, 1)
	}
	s.walk(b, &m, p[header:], d)
}

// walk goes through the sets of a message.
func (s *session) walk(b *flow.Batch, m *message, data []byte, d *collector.Datagram) {
	const header = 4
	m.first = b.Len()
	for len(data) >= header {
		id, length := binary.BigEndian.Uint16(data), int(binary.BigEndian.Uint16(data[2:]))
		if id == 0 && length == 0 {
			return // zeros that fill the datagram (Palo Alto)
		}
		if length < header {
			d.Tally.Drop(collector.MalformedSet, 1)
			return
		}
		if length > len(data) {
			// Cut short: the whole records that are left are good.
			d.Tally.Drop(collector.Truncated, 1)
			length = len(data)
		}
		s.set(b, m, id, data[header:length], d)
		data = data[length:]
	}
}

// set reads one set.
func (s *session) set(b *flow.Batch, m *message, id uint16, data []byte, d *collector.Datagram) {
	switch {
	case id >= firstTemplate:
		s.dataSet(b, m, id, data, d)
	case m.version == version9 && id == 0, m.version == versionIPFIX && id == 2:
		s.templateSet(m, data, d)
	case m.version == version9 && id == 1:
		s.optionsTemplateSet9(m, data, d)
	case m.version == versionIPFIX && id == 3:
		s.optionsTemplateSet(m, data, d)
	default:
		d.Tally.Drop(collector.MalformedSet, 1)
	}
}

// dataSet reads the records of a data set.
func (s *session) dataSet(b *flow.Batch, m *message, id uint16, data []byte, d *collector.Datagram) {
	t := s.templates.known[templateKey{m.version, m.domain, id}]
	if t == nil {
		d.Tally.Drop(collector.MissingTemplate, 1)
		return
	}
	t.used = d.ReceivedAt
	whole := data[:t.whole(data)]
	// Padding is shorter than any record of the set (RFC 7011 §3.3.1).
	if len(data)-len(whole) >= t.size {
		d.Tally.Drop(collector.MalformedRecord, 1)
	}
	if t.options {
		s.optionsRecords(m, t, whole, d)
		return
	}
	rest := bytes.NewBuffer(whole)
	records, err := netflow.DecodeDataSet(m.version, rest, t.fields)
	if failed(err, rest) {
		d.Tally.Drop(collector.DecoderError, 1)
	}
	if room := max(0, collector.MaxRecords-(b.Len()-m.first)); len(records) > room {
		d.Tally.Drop(collector.RecordLimit, len(records)-room)
		records = records[:room]
	}
	s.flowRecords(b, m, t, records)
}

// failed tells an error from the way goflow2 comes to the end of a set whose
// fields all have variable length: by failing to read one more record.
func failed(err error, rest *bytes.Buffer) bool { return err != nil && rest.Len() > 0 }

// flowRecords appends the records of a data set to b.
func (s *session) flowRecords(b *flow.Batch, m *message, t *template, records []netflow.DataRecord) {
	first := b.Grow(len(records))
	r := record{b: b, session: s, message: m}
	for i := range records {
		r.begin(first + i)
		r.run(t.plan.forward, records[i].Values)
		r.settle()
	}
	if len(t.plan.reverse) > 0 {
		for i := range records {
			r.wayBack(t.plan.reverse, first+i, records[i].Values)
		}
	}
}

// wayBack appends the reverse record of the biflow at index row of the batch, if
// anything went that way.
func (r *record) wayBack(reverse []step, row int, values []netflow.DataField) {
	r.begin(r.b.Grow(1))
	mirror(r.b, r.row, row)
	r.run(reverse, values)
	if r.b.Bytes[r.row] == 0 && r.b.Packets[r.row] == 0 {
		r.b.Truncate(r.row)
		return
	}
	r.settleTimes()
	if r.b.StartAt[r.row] == 0 {
		r.b.StartAt[r.row] = r.b.StartAt[row]
	}
	if r.b.EndAt[r.row] == 0 {
		r.b.EndAt[r.row] = r.b.EndAt[row]
	}
}

// optionsRecords learns from options data what the exporter says about itself.
func (s *session) optionsRecords(m *message, t *template, data []byte, d *collector.Datagram) {
	rest := bytes.NewBuffer(data)
	records, err := netflow.DecodeOptionsDataSet(m.version, rest, t.scopes, t.fields)
	if failed(err, rest) {
		d.Tally.Drop(collector.DecoderError, 1)
	}
	d.Tally.OptionsRecords += uint64(len(records))
	// The writers want a row; options data has none, so a scratch one serves.
	s.scratch.Reset()
	r := record{b: &s.scratch, session: s, message: m}
	r.row = s.scratch.Grow(1)
	for i := range records {
		r.begin(r.row)
		r.run(t.plan.forward, append(records[i].ScopesValues, records[i].OptionsValues...))
		s.samplers.learn(&r, d.Tally)
		s.learnStart(m, r.initAt)
	}
}

// maxDomains bounds the observation domains of one exporter.
const maxDomains = 1024

// learnStart takes when the router started.
func (s *session) learnStart(m *message, at int64) {
	if m.version != versionIPFIX || at <= 0 {
		return
	}
	if _, known := s.initAt[m.domain]; known || len(s.initAt) < maxDomains {
		s.initAt[m.domain] = at
	}
}
