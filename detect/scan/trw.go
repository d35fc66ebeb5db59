package scan

import "math"

// walk is the threshold random walk of Jung, Paxson, Berger and Balakrishnan, "Fast
// Portscan Detection Using Sequential Hypothesis Testing", IEEE S&P 2004: the
// logarithm of the likelihood ratio of "scans" against "means well", which each first
// contact of a source moves, up when it fails and down when it succeeds.
type walk struct {
	up, down    float64 // of a failure, of a success
	upper, zero float64 // where it is decided: a scanner, or not
	at, most    float64
}

// newWalk is a walk that has not begun.
func (c *Config) newWalk() walk {
	return walk{
		up:    math.Log((1 - c.SuccessScanner) / (1 - c.SuccessBenign)),
		down:  math.Log(c.SuccessScanner / c.SuccessBenign),
		upper: math.Log((1 - c.Miss) / c.FalsePositive),
		zero:  math.Log(c.Miss / (1 - c.FalsePositive)),
	}
}

// step takes the next first contact. Once a source is held to mean well the walk
// begins anew: it may be taken over tomorrow.
func (w *walk) step(failed bool) {
	if failed {
		w.at += w.up
	} else {
		w.at += w.down
	}
	w.most = max(w.most, w.at)
	if w.at <= w.zero {
		w.at = 0
	}
}

// scans tells whether the walk has ever passed the upper threshold.
func (w *walk) scans() bool { return w.most >= w.upper }

// confidence is the probability that the source scans, by the walk's ratio at its
// highest, where of so many sources as FalsePositive says one does.
func (w *walk) confidence(prior float64) float64 {
	return 1 / (1 + math.Exp(-w.most)*(1-prior)/prior)
}
