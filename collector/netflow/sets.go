package netflow

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
	"tapwatch/flow"
)

// templateFormat is one of the ways to write a template down.
type templateFormat struct {
	options bool
	// header is how many bytes come before the fields.
	header int
	// measure reads the header: the length of the whole record and how many fields it
	// has. ok is false where the header contradicts itself. A record without fields is
	// padding, a withdrawal or a mistake.
	measure func(data []byte, version uint16) (length, fields int, ok bool)
	// read gives the fields of a whole record.
	read func(record []byte, version uint16) (scopes, fields []netflow.Field, err error)
}

// The formats: templates (RFC 7011 §3.4.1, RFC 3954 §5.2), options templates of IPFIX
// (RFC 7011 §3.4.2.2), and those of NetFlow v9 (RFC 3954 §6.1), which give lengths in
// bytes where others give counts.
var (
	plainTemplate    = templateFormat{false, 4, measurePlain, readPlain}
	optionsTemplate  = templateFormat{true, 6, measureOptions, readOptions}
	optionsTemplate9 = templateFormat{true, 6, measureOptions9, readOptions9}
)

func measurePlain(data []byte, version uint16) (length, fields int, ok bool) {
	fields = int(binary.BigEndian.Uint16(data[2:]))
	return 4 + fieldsLength(data[4:], fields, version), fields, true
}

func measureOptions(data []byte, version uint16) (length, fields int, ok bool) {
	fields = int(binary.BigEndian.Uint16(data[2:]))
	scopes := int(binary.BigEndian.Uint16(data[4:]))
	return 6 + fieldsLength(data[6:], fields, version), fields, scopes <= fields
}

func measureOptions9(data []byte, _ uint16) (length, fields int, ok bool) {
	fields = int(binary.BigEndian.Uint16(data[2:]))/4 + int(binary.BigEndian.Uint16(data[4:]))/4
	return 6 + 4*fields, fields, true
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

func readPlain(record []byte, version uint16) (scopes, fields []netflow.Field, err error) {
	records, err := netflow.DecodeTemplateSet(version, bytes.NewBuffer(record))
	if err != nil || len(records) != 1 {
		return nil, nil, errNotOne(err)
	}
	return nil, records[0].Fields, nil
}

func readOptions(record []byte, _ uint16) (scopes, fields []netflow.Field, err error) {
	records, err := netflow.DecodeIPFIXOptionsTemplateSet(bytes.NewBuffer(record))
	if err != nil || len(records) != 1 {
		return nil, nil, errNotOne(err)
	}
	return plain(records[0].Scopes), plain(records[0].Options), nil
}

func readOptions9(record []byte, _ uint16) (scopes, fields []netflow.Field, err error) {
	records, err := netflow.DecodeNFv9OptionsTemplateSet(bytes.NewBuffer(record))
	if err != nil || len(records) != 1 {
		return nil, nil, errNotOne(err)
	}
	return elementsOf(records[0].Scopes), records[0].Options, nil
}

// errNotOne is why a template record was not read.
func errNotOne(err error) error {
	if err == nil {
		err = errors.New("not one template")
	}
	return err
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

// elementsOf gives the scopes of NetFlow v9 as the elements they stand for: of the
// five that there are (RFC 3954 §6.1) the interface alone says something for us.
func elementsOf(scopes []netflow.Field) []netflow.Field {
	const scopeInterface, ingressInterface, padding = 2, 10, 210
	for i := range scopes {
		if scopes[i].Type == scopeInterface {
			scopes[i].Type = ingressInterface
		} else {
			scopes[i].Type = padding
		}
	}
	return scopes
}

// templateSet reads the templates of a set. Each is checked before goflow2 gets it,
// by itself: goflow2 makes room for as many fields as a template claims to have before
// it looks whether they are there.
func (s *session) templateSet(b *flow.Batch, m *message, data []byte, f templateFormat, g *collector.Datagram) {
	for len(data) >= 4 {
		id, count := binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
		if id == 0 && count == 0 {
			return // padding
		}
		if count == 0 && m.version == versionIPFIX {
			// A withdrawal (RFC 7011 §8.1), which has no more than id and count.
			s.withdraw(m, id, f, g)
			data = data[4:]
			continue
		}
		if len(data) < f.header {
			return
		}
		length, fields, ok := f.measure(data, m.version)
		switch {
		case fields == 0:
			g.Tally.Drop(collector.EmptyTemplate, 1)
			data = data[f.header:]
			continue
		case length > len(data):
			g.Tally.Drop(collector.Truncated, 1)
			return
		case !ok:
			g.Tally.Drop(collector.MalformedSet, 1)
			return
		}
		s.template(b, m.domainKey, id, data[:length], fields, f, g)
		data = data[length:]
	}
}

// template takes one template record. Exporters repeat theirs every few minutes, some
// in every datagram: one that is known already costs nothing more.
func (s *session) template(b *flow.Batch, k domainKey, id uint16, record []byte, fields int, f templateFormat, g *collector.Datagram) {
	if d := s.domains[k]; d != nil {
		if t := d.templates.get(id); t != nil && t.options == f.options && t.raw == string(record) {
			t.usedAt = g.ReceivedAt.UnixMilli()
			return
		}
	}
	// A template that is refused replaces the one of before all the same: read by a
	// layout that no longer holds, records would turn into nonsense.
	s.forget(s.domains[k], id)
	if fields > s.shared.limits.TemplateFields || id < firstTemplate {
		g.Tally.Drop(collector.HostileTemplate, 1)
		return
	}
	// Before any work is put into it: floods of templates come to nothing here.
	s.shared.templates--
	d := s.room(k, planFields+fields, g)
	if d == nil || s.shared.templates < 0 {
		g.Tally.Drop(collector.TemplateLimit, 1)
		return
	}
	p := s.shared.plan(k.version, record, f, g)
	if p == nil {
		return
	}
	s.keep(d, id, p, g)
	for _, w := range s.arrived(d, id) {
		rows := b.Len()
		n := s.records(b, &w.message, d, p, w.data, max(0, s.shared.late), g)
		s.shared.late -= max(n, b.Len()-rows) // a biflow makes two
	}
}

// plan gives the plan of a template record; nil if it is not to be used, which is
// counted.
func (sh *shared) plan(version uint16, record []byte, f templateFormat, g *collector.Datagram) *plan {
	if p := sh.plans.find(planKey{version, f.options, string(record)}); p != nil {
		return p
	}
	scopes, fields, err := f.read(record, version)
	if err != nil {
		g.Tally.Drop(collector.DecoderError, 1)
		return nil
	}
	p := compile(string(record), scopes, fields, f.options)
	if p.size == 0 {
		g.Tally.Drop(collector.HostileTemplate, 1)
		return nil
	}
	sh.plans.add(planKey{version, f.options, p.raw}, p)
	return p
}

// withdraw obeys a template withdrawal, over connections alone: over UDP RFC 7011
// §8.1 allows none, and obeying one would let anyone delete templates. The id of a
// template set withdraws all templates of its kind.
func (s *session) withdraw(m *message, id uint16, f templateFormat, g *collector.Datagram) {
	const templates, optionsTemplates = 2, 3
	d := s.domains[m.domainKey]
	switch {
	case !g.Connected:
		g.Tally.Drop(collector.EmptyTemplate, 1)
	case id == templates || id == optionsTemplates:
		s.forgetAll(d, f.options)
	default:
		s.forget(d, id)
	}
}
