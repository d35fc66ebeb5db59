package campaign

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// level is a volume that wanders smoothly around a median, as the traffic of many
// people on one interface does: straight between knots five minutes apart. It is a
// function of time, so that a copy of the traffic can follow it.
type level struct {
	seed   uint64
	median float64 // bytes a minute
}

// The wander: two waves of knots, slow and fast.
const (
	knotEvery              = 5 * minute
	slowKnotEvery          = 45 * minute
	knotSpread, slowSpread = 0.35, 0.35
)

func newLevel(seed uint64, name string, median float64) *level {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &level{mixed(seed ^ h.Sum64()), median}
}

// knot is a standard normal draw that belongs to one knot.
func (l *level) knot(n int64, every int64) float64 {
	return rand.New(rand.NewPCG(l.seed^uint64(every), mixed(uint64(n)))).NormFloat64()
}

func (l *level) wave(at, every int64) float64 {
	n := at / every
	share := float64(at%every) / float64(every)
	return l.knot(n, every)*(1-share) + l.knot(n+1, every)*share
}

// at is the bytes a minute at a time.
func (l *level) at(ms int64) float64 {
	return l.median * math.Exp(knotSpread*l.wave(ms, knotEvery)+slowSpread*l.wave(ms, slowKnotEvery))
}

// between is the bytes in a span of a few minutes.
func (l *level) between(from, to int64) float64 {
	mean := (l.at(from) + 4*l.at((from+to)/2) + l.at(to)) / 6
	return mean * float64(to-from) / float64(minute)
}
