package baseline

import (
	"math"
	"time"
)

// Rarity is how common a thing (a network, a port, a peer) is among hosts, and since
// when it is known.
type Rarity struct {
	// Hosts of Of hosts had to do with it.
	Hosts, Of int
	// First is when it was first seen, Since when seeing began (the beginning of the
	// history); First before Since does not occur.
	First, Since time.Time
}

// Prevalence is the share of hosts, 0 to 1, of which one cannot be sure when there
// are few: the rule of succession (k+1)/(n+2) keeps one host of one from being all.
func (r Rarity) Prevalence() float64 { return (float64(r.Hosts) + 1) / (float64(r.Of) + 2) }

// Common tells whether at least the share of all hosts has to do with it.
func (r Rarity) Common(share float64) bool {
	return r.Of > 0 && float64(r.Hosts) >= share*float64(r.Of)
}

// Rare tells whether at most the share of hosts has to do with it; one host always is
// rare among more than one.
func (r Rarity) Rare(share float64) bool {
	return r.Of > 1 && (r.Hosts <= 1 || float64(r.Hosts) <= share*float64(r.Of))
}

// Warm tells whether seeing had gone on for the warm-up when at came. Before that,
// nothing can be called new.
func (r Rarity) Warm(at time.Time, warmUp time.Duration) bool {
	return !r.Since.IsZero() && at.Sub(r.Since) >= warmUp
}

// New tells whether it was first seen within the age before at, and seeing had begun
// before that.
func (r Rarity) New(at time.Time, age time.Duration) bool {
	return at.Sub(r.First) < age && r.First.After(r.Since)
}

// SamplingError is the standard error of the logarithm of an amount of bytes that was
// estimated by sampling 1 of interval packets: at most √(interval·packet/bytes), where
// packet is the largest packet. The estimator is Σ interval·sizeᵢ over the packets
// sampled; its variance is below interval·Σ sizeⱼ² ≤ interval·packet·bytes (Duffield,
// Lund, Thorup, "Estimating flow distributions from sampled flow statistics", SIGCOMM
// 2003; sFlow's "% error ≤ 196·√(1/c)" is the same for packets counted). 0 where
// nothing is sampled; never above 2, where nothing is known.
func SamplingError(bytes float64, interval uint32) float64 {
	const packet = 1500
	if interval <= 1 {
		return 0
	}
	if bytes <= 0 {
		return 2
	}
	return min(2, math.Sqrt(float64(interval)*packet/bytes))
}
