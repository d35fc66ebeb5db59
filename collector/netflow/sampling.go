package netflow

import (
	"math"

	"tapwatch/collector"
	"tapwatch/flow"
)

// selection is what one record (data or options data) says about sampling by several
// elements together (RFC 5477 §8.2).
type selection struct {
	packetInterval uint64  // 305: how many packets in a row are taken …
	packetSpace    uint64  // 306: … and how many then are not
	size           uint64  // 309: how many packets are taken …
	population     uint64  // 310: … of how many
	probability    float64 // 311
}

// oneOf gives the sampling interval, one of how many packets; 0 if nothing is said.
func (s *selection) oneOf() uint32 {
	switch {
	case s.packetInterval > 0 && s.packetSpace > 0:
		return bounded((float64(s.packetInterval) + float64(s.packetSpace)) / float64(s.packetInterval))
	case s.size > 0 && s.population > 0:
		return bounded(float64(s.population) / float64(s.size))
	case s.packetInterval > 0:
		// Without a space some exporters mean "one of so many". IOS XR says an interval
		// of 1 beside size and population, which mean it.
		return bounded(float64(s.packetInterval))
	case s.probability > 0 && s.probability <= 1:
		return bounded(1 / s.probability)
	}
	return 0
}

func bounded(f float64) uint32 {
	return uint32(min(max(math.Round(f), 1), math.MaxUint32))
}

// maxSamplers bounds the samplers that one domain may announce. A router has one a
// line card or interface at most.
const maxSamplers = 4096

// samplerFields is what a sampler counts for in memory, in template fields.
const samplerFields = 2

// scope says what a sampling interval holds for.
type scope struct {
	kind scopeKind
	// id is the sampler's (element 48 or 302) or the interface's.
	id uint64
}

type scopeKind uint8

const (
	ofDomain scopeKind = iota
	ofSampler
	ofInterface
)

// samplers holds the sampling that the options data of a domain announced.
type samplers struct {
	intervals map[scope]uint32
	// of counts the entries of each kind.
	of [3]int
	// only is the one sampler of the domain, as long as it has a single one: its
	// interval holds for records that name none.
	only uint64
}

// cost is what they count for in memory.
func (s *samplers) cost() int { return samplerFields * len(s.intervals) }

// learnAll takes the records of options data. They are read like flow records, into
// rows that nobody else sees.
func (s *session) learnAll(r *rows, p *plan, data []byte, g *collector.Datagram) {
	r.b = &s.shared.scratch
	r.b.Reset()
	r.first = r.b.Grow(r.n)
	s.shared.initAt = 0
	s.fill(r, p, &p.forward, data)
	for i := range r.n {
		s.learn(r, i, p, g)
	}
	if at := s.shared.initAt; at > 0 && r.message.version == versionIPFIX {
		r.domain.initAt = at
	}
}

// learn takes what the options data record at index i says about sampling.
func (s *session) learn(r *rows, i int, p *plan, g *collector.Datagram) {
	row := r.first + i
	n := r.b.SamplingInterval[row]
	if n == 0 {
		return
	}
	var of scope
	switch {
	case p.tellsSampler:
		of = scope{ofSampler, r.samplers[i]}
	case p.ofInterface:
		of = scope{ofInterface, uint64(max(r.b.InIf[row], r.b.OutIf[row]))}
	}
	s.announce(r.domain, of, n, g)
}

// announce takes a sampling interval, if there is room for it.
func (s *session) announce(d *domain, of scope, interval uint32, g *collector.Datagram) {
	all := &d.samplers
	if _, known := all.intervals[of]; !known {
		if len(all.intervals) >= maxSamplers || !s.fits(samplerFields, g) {
			g.Tally.Drop(collector.SamplerLimit, 1)
			return
		}
		if all.intervals == nil {
			all.intervals = make(map[scope]uint32)
		}
		s.fields += samplerFields
		all.of[of.kind]++
		if of.kind == ofSampler {
			all.only = of.id
		}
	}
	all.intervals[of] = interval
}

// settle fills the sampling intervals of the rows that do not say their own: that of the
// sampler a record names, else of its interface, else of the domain; 0 unknown.
func (s *samplers) settle(r *rows, named bool) {
	to := r.b.SamplingInterval[r.first:][:r.n]
	if r.message.sampling != 0 {
		for i := range to {
			to[i] = r.message.sampling
		}
		return
	}
	if len(s.intervals) == 0 {
		return
	}
	whole := s.intervals[scope{kind: ofDomain}]
	if !named && s.of[ofSampler] == 1 {
		whole = s.intervals[scope{ofSampler, s.only}]
	}
	var last scope // the look-ups of neighbours are mostly the same
	interval := whole
	for i := range to {
		if to[i] != 0 {
			continue
		}
		if of := s.scopeOf(r, i, named); of != last {
			last, interval = of, whole
			if n, ok := s.intervals[of]; ok {
				interval = n
			}
		}
		to[i] = interval
	}
}

// scopeOf says which announcement holds for the row at index i before that of the
// domain.
func (s *samplers) scopeOf(r *rows, i int, named bool) scope {
	row := r.first + i
	switch {
	case named:
		return scope{ofSampler, r.samplers[i]}
	case s.of[ofInterface] == 0:
		return scope{}
	case r.b.Direction[row] == flow.DirectionEgress:
		return scope{ofInterface, uint64(r.b.OutIf[row])}
	default:
		return scope{ofInterface, uint64(r.b.InIf[row])}
	}
}
