package netflow

import (
	"time"

	"tapwatch/collector"
)

// domain is an observation domain of one exporter and protocol version: the scope of
// template and sampler ids (RFC 7011 §3.1, RFC 3954 §5.1), and of sequence numbers.
type domain struct {
	sequence  collector.Sequence
	templates templateTable
	samplers  samplers
	// initAt is when the router started, in Unix milliseconds (element 160 in options
	// data); 0 unknown.
	initAt int64
	// waiting are the data sets whose templates have not come, by template, oldest
	// first.
	waiting map[uint16][]waiting
	// usedAt is when the last message of the domain came, in Unix milliseconds.
	usedAt int64
}

// domainFields is what a domain counts for in memory, in template fields.
const domainFields = 12

// maxDomains bounds the observation domains of one exporter.
const maxDomains = 1024

// domainKey names a domain.
type domainKey struct {
	version uint16
	id      uint32
}

// known gives the domain of a message; one that nothing is remembered of is empty,
// and is not kept.
func (s *session) known(m *message) *domain {
	if m.domainKey == s.lastKey && s.last != nil {
		return s.last
	}
	if d := s.domains[m.domainKey]; d != nil {
		s.last, s.lastKey = d, m.domainKey
		return d
	}
	return &s.shared.unknown
}

// remembered gives the domain of a message to put something into; nil if there is no
// room for one more.
func (s *session) remembered(k domainKey, g *collector.Datagram) *domain {
	if d := s.domains[k]; d != nil {
		return d
	}
	most := maxDomains
	if k.version < version9 {
		most /= 2 // their domains are remembered for their numbers alone
	}
	if len(s.domains) >= most {
		s.spare(g.ReceivedAt)
	}
	if len(s.domains) >= most || !s.fits(domainFields, g) {
		return nil
	}
	if s.domains == nil {
		s.domains = make(map[domainKey]*domain)
	}
	d := new(domain)
	s.domains[k] = d
	s.fields += domainFields
	return d
}

// fits says whether there is room for so many more fields.
func (s *session) fits(fields int, g *collector.Datagram) bool {
	return s.fields+fields <= g.TemplateFields
}

// spareAfter is after how long without use a template may make room for another:
// three times the resend interval that routers use (RFC 7011 §8.4).
const spareAfter = 90 * time.Minute

// room makes room for a template that counts for so many fields, and gives its domain;
// nil if there is none.
func (s *session) room(k domainKey, fields int, g *collector.Datagram) *domain {
	fits := func() bool {
		return s.templates < s.shared.limits.TemplatesPerExporter && s.fits(fields, g)
	}
	if !fits() {
		s.spare(g.ReceivedAt)
	}
	if !fits() {
		return nil
	}
	d := s.remembered(k, g)
	if !fits() { // the domain took it
		return nil
	}
	return d
}

// keep puts a template into its domain, which has room for it.
func (s *session) keep(d *domain, id uint16, p *plan, g *collector.Datagram) {
	d.templates.put(id, template{p, g.ReceivedAt.UnixMilli()})
	s.templates++
	s.fields += p.cost()
}

// forget removes a template, if there is one.
func (s *session) forget(d *domain, id uint16) {
	if d == nil {
		return
	}
	t := d.templates.get(id)
	if t == nil {
		return
	}
	s.fields -= t.cost()
	s.templates--
	d.templates.drop(id)
}

// forgetAll removes the templates of a domain, or its options templates.
func (s *session) forgetAll(d *domain, options bool) {
	if d == nil {
		return
	}
	for id, t := range d.templates.all() {
		if t.options == options {
			s.forget(d, id)
		}
	}
}

// spare makes room by dropping templates that nobody has needed for long. Who floods
// with templates makes it look once a second at most.
func (s *session) spare(now time.Time) {
	if since := now.Sub(s.sparedAt); !s.connected && (since < 0 || since >= time.Second) {
		s.sparedAt = now
		s.dropUnused(now.Add(-spareAfter))
	}
}

// dropUnused removes the templates that nobody has needed since, and the domains of
// which nothing is left.
func (s *session) dropUnused(since time.Time) {
	oldest := since.UnixMilli()
	for k, d := range s.domains {
		for id, t := range d.templates.all() {
			if t.usedAt < oldest {
				s.forget(d, id)
			}
		}
		if d.templates.n == 0 && len(d.waiting) == 0 && d.usedAt < oldest {
			s.fields -= domainFields + d.samplers.cost()
			s.last = nil
			delete(s.domains, k)
		}
	}
}
