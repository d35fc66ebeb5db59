package mirror

import (
	"math"

	"tapwatch/detect/baseline"
)

// series is the bytes of consecutive minutes, with the variance of each that sampling
// adds: interval·1500·bytes at most (Duffield, Lund, Thorup 2003; see
// baseline.SamplingError), 0 where every packet is metered.
type series struct {
	bytes, noise []float64
}

func newSeries(minutes int) series {
	return series{make([]float64, minutes), make([]float64, minutes)}
}

// packet is the largest packet, in bytes.
const packet = 1500

func (s *series) add(minute int, bytes float64, interval uint32) {
	s.bytes[minute] += bytes
	if interval > 1 {
		s.noise[minute] += float64(interval) * packet * bytes
	}
}

// plus is the sum of both, minus their difference, never below 0.
func (s series) plus(o series) series {
	all := newSeries(len(s.bytes))
	for i := range all.bytes {
		all.bytes[i], all.noise[i] = s.bytes[i]+o.bytes[i], s.noise[i]+o.noise[i]
	}
	return all
}

func (s series) minus(o series) series {
	all := newSeries(len(s.bytes))
	for i := range all.bytes {
		all.bytes[i], all.noise[i] = max(0, s.bytes[i]-o.bytes[i]), s.noise[i]
	}
	return all
}

func (s series) total() (sum float64) {
	for _, b := range s.bytes {
		sum += b
	}
	return sum
}

// busy counts the minutes that have traffic.
func (s series) busy() (n int) {
	for _, b := range s.bytes {
		if b > 0 {
			n++
		}
	}
	return n
}

// part is the minutes [from, to).
func (s series) part(from, to int) series { return series{s.bytes[from:to], s.noise[from:to]} }

// likeness is how closely one series follows another.
type likeness struct {
	// R is Pearson's correlation of what is left of both after their linear trends,
	// Corrected the same without what sampling blurs (Spearman 1904: r divided by the
	// root of the product of both reliabilities). Reliability is the lesser of the two.
	R, Corrected, Reliability float64
	// Minutes were compared, worth Effective independent ones.
	Minutes   int
	Effective float64
	// Lag is by how many minutes the other series comes later.
	Lag int
	// LogP is the natural logarithm of how often unrelated series are as close.
	LogP float64
}

// lags are the shifts that are tried: routers export the same minute at different
// moments.
var lags = [...]int{0, -1, 1}

// compare gives the best likeness over all lags.
func compare(a, b series) (best likeness) {
	for _, lag := range lags {
		x, y := a, b
		n := len(a.bytes)
		switch {
		case lag > 0:
			x, y = a.part(0, n-lag), b.part(lag, n)
		case lag < 0:
			x, y = a.part(-lag, n), b.part(0, n+lag)
		}
		l := alike(x, y)
		l.Lag = lag
		l.LogP = min(0, l.LogP+math.Log(float64(len(lags))))
		if lag == 0 || l.R > best.R {
			best = l
		}
	}
	return best
}

// alike compares two series minute by minute.
//
// Traffic has a memory: minutes that follow one another are alike, and so fewer than
// they seem. Bartlett (1946): n minutes are worth n/(1+2·Σρx(k)ρy(k)), with the
// autocorrelations of both. Fisher's z = atanh(r)·√(n_eff-3) is standard normal where
// there is nothing in common.
func alike(a, b series) likeness {
	x, y := detrended(a.bytes), detrended(b.bytes)
	l := likeness{Minutes: len(x)}
	vx, vy := variance(x), variance(y)
	if vx <= 0 || vy <= 0 {
		return l
	}
	l.R = product(x, y, 0) / math.Sqrt(vx*vy)
	rx, ry := reliability(vx, a.noise), reliability(vy, b.noise)
	l.Reliability = min(rx, ry)
	if l.Reliability > 0 {
		l.Corrected = min(1, l.R/math.Sqrt(rx*ry))
	}
	memory := 0.0
	for k := 1; k < len(x)/3; k++ {
		both := product(x, x, k) / vx * product(y, y, k) / vy
		if both < 0.02 {
			break
		}
		memory += both
	}
	l.Effective = float64(l.Minutes) / (1 + 2*memory)
	if l.Effective > 4 && l.R > 0 {
		l.LogP = baseline.LogNormalTail(math.Atanh(min(l.R, 0.999999)) * math.Sqrt(l.Effective-3))
	}
	return l
}

// reliability is the share of the variance that is not due to sampling.
func reliability(variance float64, noise []float64) float64 {
	sum := 0.0
	for _, v := range noise {
		sum += v
	}
	return max(0, 1-sum/float64(len(noise))/variance)
}

// detrended is what is left of the series after its straight line of least squares.
func detrended(v []float64) []float64 {
	n := float64(len(v))
	var sum, slope float64
	middle := (n - 1) / 2
	for i, x := range v {
		sum += x
		slope += (float64(i) - middle) * x
	}
	slope /= n * (n*n - 1) / 12
	all := make([]float64, len(v))
	for i, x := range v {
		all[i] = x - sum/n - slope*(float64(i)-middle)
	}
	return all
}

func variance(x []float64) float64 { return product(x, x, 0) }

// product is the mean of x(i)·y(i+lag).
func product(x, y []float64, lag int) float64 {
	sum := 0.0
	for i := range len(x) - lag {
		sum += x[i] * y[i+lag]
	}
	return sum / float64(len(x))
}
