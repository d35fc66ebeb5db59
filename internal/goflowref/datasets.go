package goflowref

import "github.com/netsampler/goflow2/v2/decoders/netflow"

// records makes Records of what goflow2 read in a data set.
func (e *Exporter) records(m *message, id uint16, body []byte, decoded []netflow.DataRecord) []Record {
	template, err := e.templates.GetTemplate(m.version, m.domain.id, id)
	if err != nil {
		return nil
	}
	told := e.announced(m.domain)
	all := make([]Record, min(len(decoded), complete(fieldsOf(template), body)))
	for i := range all {
		r := &all[i]
		r.message, r.Flags, r.Fields = *m, m.flags, fields(decoded[i].Values)
		if hasEmpty(fieldsOf(template), decoded[i].Values) {
			r.Flags |= Empty
		}
		r.message.initAt = told.initAt
		r.Values[Export], r.Values[Domain] = Number(uint64(m.version)), Number(uint64(m.domain.id))
		r.fill()
		r.Announced = told.of(r)
	}
	return all
}

// options learns from options data.
func (e *Exporter) options(m *message, id uint16, body []byte, decoded []netflow.OptionsDataRecord) {
	template, err := e.templates.GetTemplate(m.version, m.domain.id, id)
	if err != nil {
		return
	}
	told := e.announced(m.domain)
	for _, o := range decoded[:min(len(decoded), complete(fieldsOf(template), body))] {
		scopes := fields(o.ScopesValues)
		if m.version == 9 {
			scopes = scopes9(scopes)
		}
		r := Record{message: *m, Fields: append(scopes, fields(o.OptionsValues)...)}
		told.learn(&r, len(scopes))
	}
}

// scopes9 gives the scopes of NetFlow v9, which have numbers of their own (RFC 3954
// §6.1), as elements: of the five, the interface alone is one.
func scopes9(all []Field) (elements []Field) {
	const scopeInterface, ingressInterface = 2, 10
	for _, f := range all {
		if f.ID == scopeInterface {
			elements = append(elements, Field{ID: ingressInterface, Value: f.Value})
		}
	}
	return elements
}

// announced gives what options data of the domain told.
func (e *Exporter) announced(d domain) *announcements {
	if e.told[d] == nil {
		e.told[d] = &announcements{samplers: make(map[uint64]uint32), interfaces: make(map[uint64]uint32)}
	}
	return e.told[d]
}

// hasEmpty says whether a field of variable length is empty.
func hasEmpty(template []netflow.Field, values []netflow.DataField) bool {
	for i, f := range template {
		if b, _ := values[i].Value.([]byte); f.Length == variable && len(b) == 0 {
			return true
		}
	}
	return false
}

// fields gives goflow2's fields as Fields.
func fields(values []netflow.DataField) []Field {
	all := make([]Field, 0, len(values))
	for _, v := range values {
		b, ok := v.Value.([]byte)
		if !ok {
			continue
		}
		f := Field{ID: v.Type, Value: b}
		if v.PenProvided {
			if v.Pen == 0 {
				continue // reserved
			}
			// goflow2 leaves the enterprise bit on in options templates.
			f.PEN, f.ID = v.Pen, v.Type&^0x8000
		}
		all = append(all, f)
	}
	return all
}
