package netflow

import (
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
)

// templateLifetime is after how long without use a template may make room for
// another: three times the resend interval that routers use (RFC 7011 §8.4).
const templateLifetime = 90 * time.Minute

// variable is the length of a field that carries its own (RFC 7011 §7).
const variable = 0xffff

// template is a template that was accepted.
type template struct {
	// scopes and fields lack the fields of length 0: those hold nothing, and let a
	// small datagram decode into millions of values.
	scopes []netflow.Field
	fields []netflow.Field
	plan   plan
	// options says that its records describe the exporter, not flows.
	options bool
	// size is the least length of a record, at least 1.
	size  int
	fixed bool
	used  time.Time
}

// templateFields is what a template counts for besides its fields: its own memory
// and that of its entry in the map.
const templateFields = 8

// cost is what the template counts for in memory, in fields: those of length 0 had
// their room too.
func (t *template) cost() int { return templateFields + cap(t.scopes) + cap(t.fields) }

// templateKey names a template: ids are unique within an observation domain
// (RFC 7011 §3.4.1), and v9 and IPFIX count apart.
type templateKey struct {
	version uint16
	domain  uint32
	id      uint16
}

// templates are those of one exporter.
type templates struct {
	limits collector.Limits
	known  map[templateKey]*template
	// fields is the sum of their costs.
	fields int
}

// add accepts a template, or counts why it is refused. A template with the same
// key is replaced: the exporter changed its mind, or restarted.
func (ts *templates) add(k templateKey, scopes, fields []netflow.Field, options bool, d *collector.Datagram) {
	if len(scopes)+len(fields) > ts.limits.TemplateFields {
		d.Tally.Drop(collector.HostileTemplate, 1)
		return
	}
	t := &template{options: options, used: d.ReceivedAt, fixed: true}
	t.scopes, t.fields = t.measure(scopes), t.measure(fields)
	if t.size == 0 || k.id < firstTemplate {
		d.Tally.Drop(collector.HostileTemplate, 1)
		return
	}
	// The one it replaces goes even if there is no room for t: read by a layout that
	// no longer holds, records would turn into nonsense.
	ts.forget(k)
	if !ts.fits(t, d) && !(ts.dropUnused(d.ReceivedAt) && ts.fits(t, d)) {
		d.Tally.Drop(collector.TemplateLimit, 1)
		return
	}
	t.plan = compile(append(t.planScopes(k.version), t.fields...))
	ts.known[k] = t
	ts.fields += t.cost()
}

// fits says whether there is room for t.
func (ts *templates) fits(t *template, d *collector.Datagram) bool {
	return len(ts.known) < ts.limits.TemplatesPerExporter && ts.fields+t.cost() <= d.TemplateFields
}

// forget removes a template, if there is one.
func (ts *templates) forget(k templateKey) {
	if t, ok := ts.known[k]; ok {
		ts.fields -= t.cost()
		delete(ts.known, k)
	}
}

// planScopes are the scopes as far as they mean something: those of IPFIX are
// elements like others, those of NetFlow v9 have numbers of their own (RFC 3954
// §6.1), which only look like elements.
func (t *template) planScopes(version uint16) []netflow.Field {
	all := make([]netflow.Field, len(t.scopes), len(t.scopes)+len(t.fields))
	if version == versionIPFIX {
		copy(all, t.scopes)
	}
	return all
}

// measure adds the fields' lengths to the template's and gives those that hold
// something.
func (t *template) measure(fields []netflow.Field) []netflow.Field {
	kept := make([]netflow.Field, 0, len(fields))
	for _, f := range fields {
		switch f.Length {
		case 0:
			continue
		case variable:
			t.size++ // its length byte
			t.fixed = false
		default:
			t.size += int(f.Length)
		}
		kept = append(kept, f)
	}
	return kept
}

// dropUnused makes room; it says whether it could.
func (ts *templates) dropUnused(now time.Time) bool {
	before := len(ts.known)
	for k, t := range ts.known {
		if now.Sub(t.used) > templateLifetime {
			ts.forget(k)
		}
	}
	return len(ts.known) < before
}

// whole gives how many bytes of data are whole records. What follows them is
// padding, or a record cut short.
func (t *template) whole(data []byte) int {
	if t.fixed {
		return len(data) / t.size * t.size
	}
	end := 0
	for len(data)-end >= t.size {
		next := skip(t.fields, data, skip(t.scopes, data, end))
		if next > len(data) {
			break
		}
		end = next
	}
	return end
}

// skip gives where the fields that begin at data[at] end; beyond the data if they
// do not fit.
func skip(fields []netflow.Field, data []byte, at int) int {
	for _, f := range fields {
		if at > len(data) {
			return at
		}
		if f.Length != variable {
			at += int(f.Length)
			continue
		}
		rest := data[at:]
		switch {
		case len(rest) >= 3 && rest[0] == 0xff:
			at += 3 + int(rest[1])<<8 + int(rest[2])
		case len(rest) >= 1 && rest[0] != 0xff:
			at += 1 + int(rest[0])
		default:
			return len(data) + 1
		}
	}
	return at
}
