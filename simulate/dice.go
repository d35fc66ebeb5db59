package simulate

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/netip"
)

// dice is randomness that depends on nothing but what it was made from.
type dice struct{ *rand.Rand }

// newDice makes dice for one purpose at one time.
func newDice(seed uint64, purpose string, at int64) *dice {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return &dice{rand.New(rand.NewPCG(seed^h.Sum64(), uint64(at)))}
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
	if packets < 16 {
		seen := uint64(0)
		for range packets {
			if d.Uint32N(interval) == 0 {
				seen++
			}
		}
		return seen
	}
	return min(packets, uint64(d.poisson(float64(packets)/float64(interval))))
}

// lognormal draws around median; spread 1 puts two thirds of the draws within a
// factor of e.
func (d *dice) lognormal(median, spread float64) float64 {
	return median * math.Exp(spread*d.NormFloat64())
}

// ephemeral draws a client's port, from the range of RFC 6335 §6.
func (d *dice) ephemeral() uint16 { return uint16(49152 + d.IntN(16384)) }

// host draws an address of a prefix; of IPv6 it fills the low 64 bits.
func (d *dice) host(p netip.Prefix) netip.Addr {
	if p.Addr().Is4() {
		v := p.Addr().As4()
		base := binary.BigEndian.Uint32(v[:])
		offset := d.Uint32N(uint32(1<<(32-p.Bits()) - 1))
		binary.BigEndian.PutUint32(v[:], base+offset)
		return netip.AddrFrom4(v)
	}
	v := p.Addr().As16()
	high := binary.BigEndian.Uint64(v[:])
	if p.Bits() < 64 {
		high |= d.Uint64() >> p.Bits()
	}
	binary.BigEndian.PutUint64(v[:], high)
	binary.BigEndian.PutUint64(v[8:], d.Uint64())
	return netip.AddrFrom16(v)
}
