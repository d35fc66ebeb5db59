package goflowref

import "encoding/binary"

// Exporter is what one exporter has said so far. Make one with NewExporter.
type Exporter struct {
	templates *templates
	waiting   map[key][]waiting
	told      map[domain]*announcements
}

// domain is an observation domain of a protocol version.
type domain struct {
	version uint16
	id      uint32
}

// key names a template.
type key struct {
	domain
	template uint16
}

// NewExporter makes an Exporter whose templates may have so many fields.
func NewExporter(templateFields int) *Exporter {
	return &Exporter{
		templates: newTemplates(templateFields),
		waiting:   make(map[key][]waiting),
		told:      make(map[domain]*announcements),
	}
}

// Datagram gives the records of a datagram, in the order of its sets and samples;
// those that waited for a template of it come right after the template. spoken is
// false for protocols that goflow2 does not know.
func (e *Exporter) Datagram(payload []byte) (all []Record, spoken bool) {
	if len(payload) >= 4 && binary.BigEndian.Uint32(payload) == 5 {
		return sflow5(payload), true
	}
	if len(payload) < 2 {
		return nil, false
	}
	switch binary.BigEndian.Uint16(payload) {
	case 5:
		return version5(payload), true
	case 9:
		return e.message(payload, 20), true
	case 10:
		return e.message(payload, 16), true
	}
	return nil, false
}
