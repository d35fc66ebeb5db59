package baseline

import "math"

// Model says how a baseline is learned from values in the order of time.
type Model struct {
	// Floor is the least spread, in the unit of the values (of logarithms: 0.25 is
	// about 25 %). It stands for what a few quiet days do not show.
	Floor float64
	// Warm is how many values count fully whatever they are: there is nothing to
	// judge them by.
	Warm int
	// Drift and Suspicious are the scores from which a value counts a tenth and a
	// hundredth.
	Drift, Suspicious float64
}

// Default is the model for logarithms of amounts.
func Default() Model { return Model{Floor: 0.25, Warm: 5, Drift: 2, Suspicious: 3.5} }

// The weights of a normal, a drifting and a suspicious value. Slips moves its
// baselines by α = 0.5, 0.05 and 0.005 in these cases; these are the same ratios.
const (
	weightNormal     = 1
	weightDrift      = 0.1
	weightSuspicious = 0.01
)

// Baseline is what is usual.
type Baseline struct {
	// Center is the weighted median, Spread the spread of the values as a standard
	// deviation, Scale the same, but at least the model's floor.
	Center, Spread, Scale float64
	// N is how many values it rests on: the sum of their weights.
	N float64
	// Freedom is how many values the spread rests on, where these are more than N: see
	// Pool. 0: N.
	Freedom float64
}

// Pool gives the baseline the larger spread of both, and lets it rest on the values of
// both: for two parts of one history whose levels differ, but hardly their spreads. Few
// values are enough for a level, not for a spread.
func (b Baseline) Pool(o Baseline) Baseline {
	b.Freedom = max(b.N, b.Freedom) + max(o.N, o.Freedom)
	b.Spread, b.Scale = max(b.Spread, o.Spread), max(b.Scale, o.Scale)
	return b
}

// Learned is the baseline of some values and how each was judged when it came.
type Learned struct {
	Baseline
	// Scores are the values' own, each against the baseline of those before it; 0
	// while the model warms up. Weights are what each counts.
	Scores, Weights []float64
}

// Learn goes through the values in the order of time, the oldest first. Each is
// scored against the baseline of those before it, and from that score alone gets its
// weight: 1, 0.1 if it drifts, 0.01 if it is suspicious. An intruder's windows
// therefore move the baseline little, in whatever direction. Since old values leave
// the history, and its first ones count fully, a lasting change becomes usual when
// most of the history is of after the change.
func (m Model) Learn(values []float64) Learned {
	l := Learned{Scores: make([]float64, len(values)), Weights: make([]float64, len(values))}
	samples := make([]Sample, 0, len(values))
	for i, v := range values {
		weight := float64(weightNormal)
		if i >= m.Warm {
			l.Scores[i] = m.of(samples).Score(v)
			weight = m.weight(l.Scores[i])
		}
		l.Weights[i] = weight
		samples = append(samples, Sample{v, weight})
	}
	l.Baseline = m.of(samples)
	return l
}

// weight is what a value of that score counts.
func (m Model) weight(score float64) float64 {
	switch score = math.Abs(score); {
	case score >= m.Suspicious:
		return weightSuspicious
	case score >= m.Drift:
		return weightDrift
	default:
		return weightNormal
	}
}

// of is the baseline of weighted values.
func (m Model) of(samples []Sample) Baseline {
	b := Baseline{Center: WeightedMedian(samples)}
	for _, s := range samples {
		b.N += s.Weight
	}
	// The MAD of few values is too small by about n/(n-0.8): Croux, Rousseeuw,
	// "Time-efficient algorithms for two highly robust estimators of scale", 1992.
	small := max(1, b.N/max(1, b.N-0.8))
	b.Spread = madToSigma * small * WeightedMAD(samples, b.Center)
	b.Scale = max(m.Floor, b.Spread)
	return b
}

// Z is how many spreads the value is above the baseline.
func (b Baseline) Z(value float64) float64 { return b.ZWith(value, 0) }

// ZWith is Z for a value that is itself an estimate with the standard error se, in
// the unit of the values (see SamplingError): it adds to the spread.
func (b Baseline) ZWith(value, se float64) float64 {
	scale := math.Hypot(b.Scale, se)
	if scale == 0 {
		return 0
	}
	return (value - b.Center) / scale
}

// Score is Z made comparable between keys of long and of short history: the normal
// deviate that is exceeded as rarely as Z is, where nothing is wrong.
func (b Baseline) Score(value float64) float64 { return b.ScoreWith(value, 0) }

// ScoreWith is Score for a value with the standard error se. The center is known no
// better than to √(π/2n) of the spread, and a spread told by the MAD of n values is as
// uncertain as a standard deviation of 0.37 n values (the MAD's efficiency: Rousseeuw,
// Croux, "Alternatives to the median absolute deviation", JASA 88, 1993). So the
// distance in spreads, shrunk for the first, is read as Student's t of max(1, 0.37 n)
// degrees of freedom. The floor is no estimate: Z, shrunk likewise, bounds the score.
func (b Baseline) ScoreWith(value, se float64) float64 {
	n := max(1, b.N)
	shrink := math.Sqrt(1 + math.Pi/2/n)
	z := b.ZWith(value, se) / shrink
	spread := math.Hypot(b.Spread, se)
	if spread == 0 {
		return z
	}
	t := math.Abs(value-b.Center) / spread / shrink
	sure := NormalDeviate(LogStudentTail(t, max(1, 0.37*max(n, b.Freedom))))
	if b.Scale == 0 { // no floor, and only se makes a spread
		return math.Copysign(sure, value-b.Center)
	}
	return math.Copysign(min(math.Abs(z), sure), value-b.Center)
}

// Tail is the probability of a value at least as high where nothing is wrong.
func (b Baseline) Tail(value float64) float64 { return math.Exp(LogNormalTail(b.Score(value))) }
