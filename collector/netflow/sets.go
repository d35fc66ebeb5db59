package netflow

import (
	"bytes"
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
)

// templateSet splits a template set into its records and hands each to goflow2 by
// itself. Each is checked first: goflow2 makes room for as many fields as a
// template claims to have before it looks whether they are there.
func (s *session) templateSet(m *message, data []byte, d *collector.Datagram) {
	const header = 4
	for len(data) >= header {
		id, count := binary.BigEndian.Uint16(data), int(binary.BigEndian.Uint16(data[2:]))
		if id == 0 && count == 0 {
			return // padding
		}
		if count == 0 {
			d.Tally.Drop(collector.EmptyTemplate, 1)
			data = data[header:]
			continue
		}
		length := header + fieldsLength(data[header:], count, m.version)
		if length > len(data) {
			d.Tally.Drop(collector.Truncated, 1)
			return
		}
		records, err := netflow.DecodeTemplateSet(m.version, bytes.NewBuffer(data[:length]))
		if err != nil || len(records) != 1 {
			d.Tally.Drop(collector.DecoderError, 1)
			return
		}
		s.templates.add(templateKey{m.version, m.domain, id}, nil, records[0].Fields, false, d)
		data = data[length:]
	}
}

// fieldsLength gives the length of count field specifiers: 4 bytes each, 8 with an
// enterprise number (RFC 7011 §3.2). It is more than len(data) if they do not fit.
func fieldsLength(data []byte, count int, version uint16) int {
	if 4*count > len(data) {
		return 4 * count
	}
	at := 0
	for range count {
		if at+4 > len(data) {
			return len(data) + 1
		}
		if version == versionIPFIX && data[at]&0x80 != 0 {
			at += 4
		}
		at += 4
	}
	return at
}

// optionsTemplateSet9 is templateSet for NetFlow v9 options templates (RFC 3954
// §6.1), which give lengths in bytes where others give counts.
func (s *session) optionsTemplateSet9(m *message, data []byte, d *collector.Datagram) {
	const header = 6
	for len(data) >= header {
		id := binary.BigEndian.Uint16(data)
		scopes, options := int(binary.BigEndian.Uint16(data[2:])), int(binary.BigEndian.Uint16(data[4:]))
		if id == 0 && scopes == 0 && options == 0 {
			return // padding
		}
		if scopes/4+options/4 == 0 {
			d.Tally.Drop(collector.EmptyTemplate, 1)
			data = data[header:]
			continue
		}
		length := header + scopes/4*4 + options/4*4
		if length > len(data) {
			d.Tally.Drop(collector.Truncated, 1)
			return
		}
		records, err := netflow.DecodeNFv9OptionsTemplateSet(bytes.NewBuffer(data[:length]))
		if err != nil || len(records) != 1 {
			d.Tally.Drop(collector.DecoderError, 1)
			return
		}
		s.templates.add(templateKey{m.version, m.domain, id}, records[0].Scopes, records[0].Options, true, d)
		data = data[length:]
	}
}

// optionsTemplateSet is templateSet for IPFIX options templates (RFC 7011 §3.4.2.2).
func (s *session) optionsTemplateSet(m *message, data []byte, d *collector.Datagram) {
	const header = 6
	for len(data) >= header {
		id := binary.BigEndian.Uint16(data)
		count, scopes := int(binary.BigEndian.Uint16(data[2:])), int(binary.BigEndian.Uint16(data[4:]))
		if id == 0 && count == 0 {
			return // padding
		}
		if count == 0 {
			// A withdrawal is two bytes shorter: it has no count of scopes.
			d.Tally.Drop(collector.EmptyTemplate, 1)
			data = data[4:]
			continue
		}
		length := header + fieldsLength(data[header:], count, m.version)
		if length > len(data) {
			d.Tally.Drop(collector.Truncated, 1)
			return
		}
		if scopes > count {
			d.Tally.Drop(collector.MalformedSet, 1)
			return
		}
		records, err := netflow.DecodeIPFIXOptionsTemplateSet(bytes.NewBuffer(data[:length]))
		if err != nil || len(records) != 1 {
			d.Tally.Drop(collector.DecoderError, 1)
			return
		}
		k := templateKey{m.version, m.domain, id}
		s.templates.add(k, plain(records[0].Scopes), plain(records[0].Options), true, d)
		data = data[length:]
	}
}

// plain takes the enterprise bit off the field types: goflow2 leaves it on in
// options templates, not in others.
func plain(fields []netflow.Field) []netflow.Field {
	for i := range fields {
		if fields[i].PenProvided {
			fields[i].Type &^= 0x8000
		}
	}
	return fields
}
