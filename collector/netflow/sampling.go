package netflow

import (
	"math"

	"tapwatch/collector"
)

// sampling is what one record (data or options data) says about sampling.
type sampling struct {
	sampler    uint64 // element 48 (NetFlow v9) or 302 (IPFIX)
	hasSampler bool

	interval       uint32  // 34: one of how many packets
	randomInterval uint32  // 50: the same, for random sampling
	packetInterval uint64  // 305: how many packets in a row are taken …
	packetSpace    uint64  // 306: … and how many then are not
	size           uint64  // 309: how many packets are taken …
	population     uint64  // 310: … of how many
	probability    float64 // 311
}

// oneOf gives the sampling interval, one of how many packets; 0 if nothing is said.
func (s *sampling) oneOf() uint32 {
	switch {
	case s.interval > 0:
		return s.interval
	case s.randomInterval > 0:
		return s.randomInterval
	case s.packetInterval > 0 && s.packetSpace > 0:
		return bounded((float64(s.packetInterval) + float64(s.packetSpace)) / float64(s.packetInterval))
	case s.packetInterval > 0:
		// Without a space some exporters mean "one of so many".
		return bounded(float64(s.packetInterval))
	case s.size > 0 && s.population > 0:
		return bounded(float64(s.population) / float64(s.size))
	case s.probability > 0 && s.probability <= 1:
		return bounded(1 / s.probability)
	}
	return 0
}

func bounded(f float64) uint32 {
	return uint32(min(max(math.Round(f), 1), math.MaxUint32))
}

// maxSamplers bounds the samplers that one exporter may announce. A router has one
// a line card or interface at most.
const maxSamplers = 1024

// samplerKey names a sampler. Sampler ids are unique within an observation domain.
type samplerKey struct {
	version uint16
	domain  uint32
	id      uint64
	// whole is set for what holds for all of the domain.
	whole bool
}

// domainKey names an observation domain of one protocol version.
type domainKey struct {
	version uint16
	domain  uint32
}

// samplers holds the sampling that options data announced.
type samplers struct {
	intervals map[samplerKey]uint32
	// only is the one sampler of a domain, as long as it has a single one: it holds
	// for records that name none.
	only map[domainKey]onlySampler
}

type onlySampler struct {
	id      uint64
	several bool
}

// learn takes what an options data record says about sampling.
func (s *samplers) learn(r *record, t *collector.Tally) {
	n := r.sampling.oneOf()
	if n == 0 {
		return
	}
	k := samplerKey{r.message.version, r.message.domain, r.sampling.sampler, !r.sampling.hasSampler}
	if _, known := s.intervals[k]; !known && len(s.intervals) >= maxSamplers {
		t.Drop(collector.SamplerLimit, 1)
		return
	}
	s.intervals[k] = n
	if k.whole {
		return
	}
	d := domainKey{k.version, k.domain}
	if o, ok := s.only[d]; !ok {
		s.only[d] = onlySampler{id: k.id}
	} else if o.id != k.id {
		s.only[d] = onlySampler{several: true}
	}
}

// interval gives the sampling interval of a data record: what it says itself,
// else its sampler's, else its domain's; 0 unknown.
func (s *samplers) interval(r *record) uint32 {
	if n := r.sampling.oneOf(); n > 0 {
		return n
	}
	version, domain := r.message.version, r.message.domain
	if r.sampling.hasSampler {
		if n, ok := s.intervals[samplerKey{version, domain, r.sampling.sampler, false}]; ok {
			return n
		}
	} else if o, ok := s.only[domainKey{version, domain}]; ok && !o.several {
		return s.intervals[samplerKey{version, domain, o.id, false}]
	}
	return s.intervals[samplerKey{version, domain, 0, true}]
}
