package beacon

import (
	"math"
	"slices"
	"time"
)

// rhythm is how even the intervals between the calls of one pair are.
type rhythm struct {
	// Calls is how many calls there were, Intervals how many intervals between them were
	// compared: without pauses, and with calls that follow one another at once (a retry,
	// a second connection of the same check-in) taken for one.
	Calls, Intervals int
	// Inside of the intervals are between Low and High; Median is that of all compared.
	Inside            int
	Low, High, Median time.Duration
	// Chance is the share of the intervals that chance has there.
	Chance float64
	// Nats is the logarithm of the likelihood ratio: this band against chance.
	Nats float64
	// LogP is the natural logarithm of how often chance gives as much.
	LogP float64
}

// Strength is the evidence of one interval, in nats: 0 for chance, 0.4 for a jitter of
// ±90 %, 1 for ±50 %, more for less jitter.
func (r *rhythm) Strength() float64 {
	if r.Intervals == 0 {
		return 0
	}
	return r.Nats / float64(r.Intervals)
}

const (
	// fewest is the number of intervals below which nothing is said: the null
	// distribution is not known there.
	fewest = 8
	// longest is the number of calls that are looked at, the latest.
	longest = 2000
	// pause: what is longer than so many medians is no interval but a pause, as of a
	// host that is off at night. Chance gives one in a thousand.
	pause = 10
	// widest is the ratio of the longest to the shortest interval of a band: a jitter of
	// ±90 % has 19.
	widest = 20
	// narrowest is the least width of a band, of the mean interval: a clock is not
	// believed without end.
	narrowest = 0.05
	// resolution is what the times of flow records are good for.
	resolution = time.Second
)

// deadTimes are the spans within which further calls are taken for the same one. Each
// is tried, and the best counts once in len(deadTimes).
var deadTimes = [...]time.Duration{resolution, 10 * time.Second, time.Minute}

// measure compares the intervals between calls, ascending, with those of chance. ok is
// false where there are too few.
//
// Chance is a Poisson process: intervals beyond a dead time are exponential, by
// whatever rate. The alternative is a share of the intervals that lies evenly in a band
// [low, high] of at most a ratio of 20, around what else is exponential: a beacon with
// jitter, some of whose calls are missing or doubled. The statistic is the largest
// log-likelihood ratio over all bands that hold half of the intervals or more.
func measure(calls []time.Time) (best rhythm, ok bool) {
	calls = calls[max(0, len(calls)-longest):]
	for _, dead := range deadTimes {
		x := intervals(calls, dead)
		if len(x) < fewest {
			break
		}
		x = withoutPauses(x)
		if len(x) < fewest {
			break
		}
		median := x[len(x)/2]
		if median < 3*dead.Seconds() {
			continue // the dead time is no longer small beside the intervals
		}
		b := bestBand(x, resolution.Seconds())
		r := rhythm{Calls: len(calls), Intervals: len(x), Inside: b.inside, Chance: b.chance, Nats: b.nats,
			Low: seconds(b.low) + dead, High: seconds(b.high) + dead, Median: seconds(median) + dead,
			LogP: min(0, logTail(b.nats, len(x))+math.Log(float64(len(deadTimes))))}
		if !ok || r.LogP < best.LogP || r.LogP == best.LogP && r.Nats > best.Nats {
			best, ok = r, true
		}
	}
	return best, ok
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// intervals are the seconds between calls, less the dead time, ascending. A call within
// the dead time after one that counts does not count; what then remains of exponential
// intervals is exponential again, since they have no memory.
func intervals(calls []time.Time, dead time.Duration) []float64 {
	var x []float64
	for last, i := 0, 1; i < len(calls); i++ {
		if d := calls[i].Sub(calls[last]); d >= dead {
			x = append(x, (d - dead).Seconds())
			last = i
		}
	}
	slices.Sort(x)
	return x
}

// withoutPauses cuts the pauses off.
func withoutPauses(x []float64) []float64 {
	limit := pause * x[len(x)/2]
	n := len(x)
	for n > 1 && x[n-1] > limit {
		n--
	}
	return x[:n]
}

// band is where the intervals lie more densely than chance has it.
type band struct {
	low, high float64
	inside    int
	chance    float64
	nats      float64
}

// bestBand looks for the band with the largest likelihood ratio. x is ascending. Of more
// than 48 intervals each n/48th is tried as a bound: the ratio changes little between.
func bestBand(x []float64, resolution float64) (best band) {
	n := len(x)
	sums := make([]float64, n+1)
	for i, v := range x {
		sums[i+1] = sums[i] + v
	}
	mean := sums[n] / float64(n)
	if mean <= 0 {
		return band{}
	}
	step := max(1, n/48)
	for i := 0; i <= n/2; i += step {
		for j := n - 1; j-i+1 >= (n+1)/2; j -= step {
			low, high := x[i], x[j]
			if high > widest*low {
				continue
			}
			k := j - i + 1
			share := float64(k) / float64(n)
			width := max(high-low, resolution, narrowest*mean)
			nats := float64(k)*(math.Log(share)-math.Log(width/mean)) + (sums[j+1]-sums[i])/mean
			chance := math.Exp(-low/mean) - math.Exp(-high/mean)
			if k < n {
				nats += float64(n-k) * math.Log((1-share)/(1-chance))
			}
			if nats > best.nats {
				best = band{low, high, k, chance, nats}
			}
		}
	}
	return best
}
