package goflowref

import (
	"errors"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
)

// errHostile keeps goflow2 from a data set that would take it for ever, or more memory
// than there is.
var errHostile = errors.New("hostile template")

// templates is goflow2's template system with a guard before it.
type templates struct {
	netflow.NetFlowTemplateSystem
	// most is how many fields a template may have.
	most int
	// added are those of the set that is being decoded.
	added []key
	// room is how many bytes the data set has that is being decoded.
	room int
}

func newTemplates(most int) *templates {
	return &templates{NetFlowTemplateSystem: netflow.CreateTemplateSystem(), most: most}
}

// AddTemplate refuses templates whose records take no space. One without fields is a
// withdrawal, which does not hold over UDP (RFC 7011 §8.1); any other replaces the one
// of before even if it is refused.
func (t *templates) AddTemplate(version uint16, id uint32, template uint16, record any) error {
	fields := fieldsOf(record)
	switch {
	case len(fields) == 0:
		return nil // goflow2 goes on with the set
	case least(fields) == 0 || len(fields) > t.most:
		_, _ = t.RemoveTemplate(version, id, template)
		return nil
	}
	t.added = append(t.added, key{domain{version, id}, template})
	return t.NetFlowTemplateSystem.AddTemplate(version, id, template, record)
}

// GetTemplate refuses templates of which the data set would decode into millions of
// values, by fields of length 0.
func (t *templates) GetTemplate(version uint16, id uint32, template uint16) (any, error) {
	record, err := t.NetFlowTemplateSystem.GetTemplate(version, id, template)
	if err != nil {
		return nil, err
	}
	const most = 1 << 20
	fields := fieldsOf(record)
	if (t.room/least(fields)+1)*len(fields) > most {
		return nil, errHostile
	}
	return record, nil
}

// fieldsOf gives the fields of a template of any kind, scopes first.
func fieldsOf(record any) []netflow.Field {
	switch r := record.(type) {
	case netflow.TemplateRecord:
		return r.Fields
	case netflow.IPFIXOptionsTemplateRecord:
		return append(append([]netflow.Field(nil), r.Scopes...), r.Options...)
	case netflow.NFv9OptionsTemplateRecord:
		return append(append([]netflow.Field(nil), r.Scopes...), r.Options...)
	}
	return nil
}

const variable = 0xffff

// least is the shortest that a record can be; a field of variable length has a byte
// that tells it (RFC 7011 §7).
func least(fields []netflow.Field) (n int) {
	for _, f := range fields {
		if f.Length == variable {
			n++
		} else {
			n += int(f.Length)
		}
	}
	return n
}

// complete gives how many records of the fields lie in data as a whole. goflow2 makes
// one more of what is left if a field of variable length says that it is longer.
func complete(fields []netflow.Field, data []byte) (n int) {
	for at := 0; ; n++ {
		for _, f := range fields {
			length := int(f.Length)
			if f.Length == variable {
				if at >= len(data) {
					return n
				}
				length = int(data[at])
				if at++; length == 255 {
					if at+2 > len(data) {
						return n
					}
					length = int(be(data[at : at+2]))
					at += 2
				}
			}
			if at += length; at > len(data) {
				return n
			}
		}
	}
}
