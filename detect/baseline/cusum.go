package baseline

import "math"

// CUSUM adds up small differences in one direction: S = max(0, S + z − K), where z is
// the score of a value. Page, "Continuous inspection schemes", Biometrika 41 (1954).
type CUSUM struct {
	// K is the reference value: half of the shift, in standard deviations, that is to
	// be found soonest. 0.5 finds shifts of one standard deviation.
	K float64
	// Cap bounds each score, so that one wild value cannot do what many small ones
	// are to do; 0 for no bound.
	Cap float64
	// S is the sum.
	S float64
}

// Step adds a score and returns the sum.
func (c *CUSUM) Step(score float64) float64 {
	if c.Cap > 0 {
		score = min(score, c.Cap)
	}
	c.S = max(0, c.S+score-c.K)
	return c.S
}

// RunLength is the mean number of values between false alarms (ARL₀) of a CUSUM of
// standard normal scores with reference value k > 0 that alarms at h:
// (e^(2kb) − 2kb − 1) / 2k² with b = h + 1.166. Siegmund, "Sequential Analysis"
// (1985), equation 2.56. 938 at h = 5, k = 0.5; simulation gives 922.
func RunLength(h, k float64) float64 {
	b := 2 * k * (h + 1.166)
	return (math.Exp(b) - b - 1) / (2 * k * k)
}

// Threshold is the h at which CUSUMs over that many keys, each stepped perDay times a
// day, raise falsePerDay false alarms a day together, as far as their scores are
// normal and independent. It is at least 1.
func Threshold(keys int, perDay, falsePerDay, k float64) float64 {
	want := float64(max(1, keys)) * perDay / falsePerDay
	low, high := 1.0, 1.0
	for RunLength(high, k) < want {
		high *= 2
	}
	for range 60 {
		if mid := (low + high) / 2; RunLength(mid, k) < want {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}
