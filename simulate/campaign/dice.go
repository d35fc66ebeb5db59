package campaign

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/netip"
)

// dice is randomness that depends on nothing but what it was made from.
type dice struct{ *rand.Rand }

// newDice makes dice for one purpose.
func newDice(seed uint64, purpose string) *dice {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return &dice{rand.New(rand.NewPCG(mixed(seed), h.Sum64()))}
}

// mixed spreads the bits of seeds that differ little (splitmix64, Steele and others
// 2014).
func mixed(seed uint64) uint64 {
	seed += 0x9e3779b97f4a7c15
	seed = (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
	seed = (seed ^ seed>>27) * 0x94d049bb133111eb
	return seed ^ seed>>31
}

// poisson draws how many of something come where mean are expected. Above 30 it is
// a rounded normal draw.
func (d *dice) poisson(mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*d.NormFloat64())))
	}
	limit, product, n := math.Exp(-mean), d.Float64(), 0
	for product > limit {
		product *= d.Float64()
		n++
	}
	return n
}

// sampled draws how many of packets a router that samples one in interval sees.
func (d *dice) sampled(packets uint64, interval uint32) uint64 {
	if interval <= 1 {
		return packets
	}
	return min(packets, uint64(d.poisson(float64(packets)/float64(interval))))
}

// lognormal draws around median; spread 1 puts two thirds of the draws within a
// factor of e.
func (d *dice) lognormal(median, spread float64) float64 {
	return median * math.Exp(spread*d.NormFloat64())
}

// between draws evenly from [low, high), logBetween evenly on a log scale.
func (d *dice) between(low, high float64) float64 { return low + (high-low)*d.Float64() }

func (d *dice) logBetween(low, high float64) float64 {
	return low * math.Exp(d.Float64()*math.Log(high/low))
}

// count draws a whole number from [low, high].
func (d *dice) count(low, high int) int { return low + d.IntN(high-low+1) }

// chance is true with that probability.
func (d *dice) chance(p float64) bool { return d.Float64() < p }

// ephemeral draws a client's port, from the range that Linux uses; it holds ports
// that end in 22 and 57722, as life does.
func (d *dice) ephemeral() uint16 { return uint16(32768 + d.IntN(28232)) }

// host draws an address of an IPv4 prefix, never its first or last.
func (d *dice) host(p netip.Prefix) netip.Addr {
	v := p.Addr().As4()
	base := binary.BigEndian.Uint32(v[:])
	size := uint32(1) << (32 - p.Bits())
	if size > 2 {
		base += 1 + d.Uint32N(size-2)
	}
	binary.BigEndian.PutUint32(v[:], base)
	return netip.AddrFrom4(v)
}

// pick draws one of a list.
func pick[T any](d *dice, all []T) T { return all[d.IntN(len(all))] }

// some draws n different ones of a list, all of a shorter one.
func some[T any](d *dice, all []T, n int) []T {
	order := d.Perm(len(all))
	n = min(n, len(all))
	drawn := make([]T, n)
	for i := range n {
		drawn[i] = all[order[i]]
	}
	return drawn
}
