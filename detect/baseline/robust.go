package baseline

import (
	"cmp"
	"math"
	"slices"
)

// madToSigma makes the median absolute deviation of normal values their standard
// deviation: 1/Φ⁻¹(3/4). Hampel, "The influence curve and its role in robust
// estimation", JASA 69 (1974).
const madToSigma = 1.4826

// Log is log(1+x) of an amount: traffic is multiplicative, so that a spread in
// logarithms means the same at every size. Negative amounts count as 0.
func Log(x float64) float64 { return math.Log1p(max(0, x)) }

// Unlog is the amount whose Log is y.
func Unlog(y float64) float64 { return math.Expm1(y) }

// Median is the middle of the values, 0 of none. They stay in their order.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// MAD is the median absolute deviation from the median, not scaled; 0 of none.
func MAD(values []float64) float64 {
	m := Median(values)
	d := make([]float64, len(values))
	for i, v := range values {
		d[i] = math.Abs(v - m)
	}
	return Median(d)
}

// Quantile is the p-quantile (0 to 1) of the values, interpolated between order
// statistics (type 7 of Hyndman, Fan, "Sample quantiles in statistical packages",
// 1996: what R and NumPy do); 0 of none. They stay in their order.
func Quantile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	at := min(max(p, 0), 1) * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Sample is a value and how much it counts.
type Sample struct{ Value, Weight float64 }

// WeightedMedian is the value at which half of the weight is reached; where it is
// reached exactly between two values, their middle. 0 without weight. With equal
// weights it is the Median.
func WeightedMedian(samples []Sample) float64 {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b Sample) int { return cmp.Compare(a.Value, b.Value) })
	half := 0.0
	for _, s := range sorted {
		half += s.Weight / 2
	}
	sum := 0.0
	for i, s := range sorted {
		sum += s.Weight
		switch {
		case sum > half*(1+1e-12):
			return s.Value
		case sum >= half*(1-1e-12) && half > 0:
			return (s.Value + nextOf(sorted[i+1:], s.Value)) / 2
		}
	}
	return 0
}

// nextOf is the first value that counts, or instead.
func nextOf(sorted []Sample, instead float64) float64 {
	for _, s := range sorted {
		if s.Weight > 0 {
			return s.Value
		}
	}
	return instead
}

// WeightedMAD is the weighted median of the distances from center, not scaled.
func WeightedMAD(samples []Sample, center float64) float64 {
	d := make([]Sample, len(samples))
	for i, s := range samples {
		d[i] = Sample{math.Abs(s.Value - center), s.Weight}
	}
	return WeightedMedian(d)
}
