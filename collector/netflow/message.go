package netflow

import (
	"encoding/binary"

	"tapwatch/collector"
	"tapwatch/flow"
)

// message is what a header says.
type message struct {
	domainKey
	// exportAt is the export time in Unix milliseconds.
	exportAt int64
	// uptime is the router's at export, in milliseconds (NetFlow alone).
	uptime    uint32
	hasUptime bool
	number    uint32 // of the sequence
	// sampling is the interval of a v5 header, for all its records.
	sampling uint32

	// records is how many the message has shown, options how many of these are of
	// options data; unread says that there are some more that could not be read.
	records, options int
	unread           bool
}

// decode9 reads a NetFlow v9 export packet (RFC 3954 §5.1). Its count is not
// believed: the walk ends where the datagram does.
func (s *session) decode9(b *flow.Batch, g *collector.Datagram) {
	const header = 20
	p := g.Payload
	if len(p) < header {
		g.Tally.Drop(collector.Truncated, 1)
		return
	}
	m := &s.shared.message
	*m = message{
		domainKey: domainKey{version9, binary.BigEndian.Uint32(p[16:])},
		uptime:    binary.BigEndian.Uint32(p[4:]),
		hasUptime: true,
		exportAt:  int64(binary.BigEndian.Uint32(p[8:])) * 1000,
		number:    binary.BigEndian.Uint32(p[12:]),
	}
	s.walk(b, m, p[header:], g)
}

// decodeIPFIX reads an IPFIX message (RFC 7011 §3.1).
func (s *session) decodeIPFIX(b *flow.Batch, g *collector.Datagram) {
	const header = 16
	p := g.Payload
	if len(p) < header {
		g.Tally.Drop(collector.Truncated, 1)
		return
	}
	m := &s.shared.message
	*m = message{
		domainKey: domainKey{versionIPFIX, binary.BigEndian.Uint32(p[12:])},
		exportAt:  int64(binary.BigEndian.Uint32(p[4:])) * 1000,
		number:    binary.BigEndian.Uint32(p[8:]),
	}
	if length := int(binary.BigEndian.Uint16(p[2:])); length > len(p) {
		g.Tally.Drop(collector.Truncated, 1)
	}
	s.walk(b, m, p[header:], g)
}

// walk goes through the sets of a message.
func (s *session) walk(b *flow.Batch, m *message, data []byte, g *collector.Datagram) {
	const header = 4
	for len(data) >= header {
		id, length := binary.BigEndian.Uint16(data), int(binary.BigEndian.Uint16(data[2:]))
		if id == 0 && length == 0 {
			break // zeros that fill the datagram (Palo Alto)
		}
		if length < header {
			g.Tally.Drop(collector.MalformedSet, 1)
			m.unread = true
			break
		}
		if length > len(data) {
			// Cut short: the whole records that are left are good.
			g.Tally.Drop(collector.Truncated, 1)
			m.unread = true
			length = len(data)
		}
		s.set(b, m, id, data[header:length], g)
		data = data[length:]
	}
	s.number(m, g)
}

// number follows the sequence numbers. NetFlow v9 numbers packets, the others records.
func (s *session) number(m *message, g *collector.Datagram) {
	d := s.known(m)
	if d == &s.shared.unknown {
		return // nothing is remembered of it, nor was there room to
	}
	d.usedAt = g.ReceivedAt.UnixMilli()
	d.sequence.Observe(g.Tally, collector.Numbering{
		Number:        m.number,
		Records:       m.records,
		Options:       m.options,
		RecordsKnown:  !m.unread,
		CountsRecords: m.version != version9,
		Uptime:        m.uptime,
		HasUptime:     m.hasUptime,
	})
}

// set reads one set.
func (s *session) set(b *flow.Batch, m *message, id uint16, data []byte, g *collector.Datagram) {
	switch {
	case id >= firstTemplate:
		s.dataSet(b, m, id, data, g)
	case m.version == version9 && id == 0, m.version == versionIPFIX && id == 2:
		s.templateSet(b, m, data, plainTemplate, g)
	case m.version == version9 && id == 1:
		s.templateSet(b, m, data, optionsTemplate9, g)
	case m.version == versionIPFIX && id == 3:
		s.templateSet(b, m, data, optionsTemplate, g)
	default:
		g.Tally.Drop(collector.MalformedSet, 1)
	}
}

// dataSet reads the records of a data set, or keeps it until its template comes.
func (s *session) dataSet(b *flow.Batch, m *message, id uint16, data []byte, g *collector.Datagram) {
	d := s.known(m)
	t := d.templates.get(id)
	if t == nil {
		m.unread = true
		s.wait(m, id, data, g)
		return
	}
	t.usedAt = g.ReceivedAt.UnixMilli()
	n := s.records(b, m, d, t.plan, data, collector.MaxRecords-m.records, g)
	m.records += n
	if t.options {
		m.options += n
	}
}
