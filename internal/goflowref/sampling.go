package goflowref

import "math"

// interval gives the sampling interval that the fields say, one of how many packets;
// 0 if they do not. In the order of the registry: samplingInterval, its random kin,
// count-based with a space (RFC 5477 §8.2.2), n-out-of-N, probability.
func (r *Record) interval() uint32 {
	for _, id := range []uint16{34, 50} {
		if v, _ := r.find(id); uint32(be(v)) > 0 {
			return uint32(be(v))
		}
	}
	n := func(id uint16) float64 {
		v, _ := r.find(id)
		return float64(be(v))
	}
	switch {
	case n(305) > 0 && n(306) > 0: // samplingPacketInterval taken, samplingPacketSpace left out
		return whole((n(305) + n(306)) / n(305))
	case n(309) > 0 && n(310) > 0: // samplingSize of samplingPopulation
		return whole(n(310) / n(309))
	case n(305) > 0: // by those who mean one of so many
		return whole(n(305))
	}
	if v, _ := r.find(311); len(v) == 4 || len(v) == 8 { // samplingProbability
		p := math.Float64frombits(be(v))
		if len(v) == 4 {
			p = float64(math.Float32frombits(uint32(be(v))))
		}
		if p > 0 && p <= 1 {
			return whole(1 / p)
		}
	}
	return 0
}

func whole(f float64) uint32 { return uint32(min(max(math.Round(f), 1), math.MaxUint32)) }

// sampler gives the sampler that the record names: samplerId (48) or selectorId (302).
func (r *Record) sampler() (id uint64, ok bool) {
	for _, e := range []uint16{302, 48} {
		if v, ok := r.find(e); ok {
			return be(v), true
		}
	}
	return 0, false
}

// announcements are what options data of a domain told: sampling intervals by sampler,
// by interface, and of neither; and when the router started.
type announcements struct {
	samplers, interfaces map[uint64]uint32
	domain               uint32
	initAt               int64
}

// learn takes what an options record says; so many of its fields are scopes.
func (a *announcements) learn(r *Record, scopes int) {
	if v, ok := r.find(160); ok && r.message.version == 10 && int64(be(v)) > 0 {
		if at := be(v); at < Year2200 {
			a.initAt = int64(at)
		}
	}
	n := r.interval()
	id, named := r.sampler()
	at, isInterface := r.interfaceScope(scopes)
	switch {
	case n == 0:
	case named:
		a.samplers[id] = n
	case isInterface:
		a.interfaces[at] = n
	default:
		a.domain = n
	}
}

// interfaceScope gives the interface that an options record is about: by a scope of
// ingressInterface or egressInterface.
func (r *Record) interfaceScope(scopes int) (id uint64, ok bool) {
	for _, f := range r.Fields[:scopes] {
		if f.PEN == 0 && (f.ID == 10 || f.ID == 14) && len(f.Value) > 0 {
			id, ok = max(id, be(f.Value)&0xffffffff), true
		}
	}
	return id, ok
}

// of gives what was announced for a record: of its sampler; of its interface, the one
// where the router saw it; of the only sampler there is; of the domain.
func (a *announcements) of(r *Record) uint32 {
	if id, named := r.sampler(); named {
		if n, ok := a.samplers[id]; ok {
			return n
		}
		return a.domain
	}
	at := r.number(InIf)
	if r.number(Direction) == 2 {
		at = r.number(OutIf)
	}
	if n, ok := a.interfaces[at]; ok {
		return n
	}
	if len(a.samplers) == 1 {
		for _, n := range a.samplers {
			return n
		}
	}
	return a.domain
}
