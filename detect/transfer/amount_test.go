package transfer

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAtLeast draws what a sampling router sees of transfers of a known size: the bound
// must lie above the truth in no more than one of twenty, within the error of the draw.
func TestAtLeast(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 22))
	const size, interval, draws = 1000, 100, 20_000
	for _, packets := range []int{150, 400, 2000, 20_000} {
		wrong, seen := 0, 0
		for range draws {
			k := binomial(dice, packets, 1.0/interval)
			if k == 0 {
				continue // nothing exported, nothing claimed
			}
			seen++
			a := amount{bytesOut: uint64(k) * interval * size, packetsOut: uint64(k) * interval, sampling: interval}
			if a.atLeast() > float64(packets*size) {
				wrong++
			}
		}
		if share := float64(wrong) / draws; share > 0.055 {
			t.Errorf("%d packets: the bound is above the truth in %.3f of the draws", packets, share)
		}
		if seen == 0 {
			t.Errorf("%d packets: nothing was ever seen", packets)
		}
	}
	unsampled := amount{bytesOut: 12_345, packetsOut: 20, sampling: 1}
	if got := unsampled.atLeast(); got != 12_345 {
		t.Errorf("without sampling %v, want what was counted", got)
	}
}

// binomial draws how many of n packets are sampled, by the gaps between them.
func binomial(dice *rand.Rand, n int, p float64) (k int) {
	for at := 0; ; k++ {
		at += 1 + int(math.Log(1-dice.Float64())/math.Log(1-p))
		if at > n {
			return k
		}
	}
}
