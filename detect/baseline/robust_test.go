package baseline_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"tapwatch/detect/baseline"
)

// near tells whether got is want but for the relative error.
func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Max(1e-300, math.Abs(want))
}

func TestQuantiles(t *testing.T) {
	values := []float64{9, 1, 4, 2, 8}
	for _, c := range []struct{ p, want float64 }{{0, 1}, {0.25, 2}, {0.5, 4}, {0.9, 8.6}, {1, 9}} {
		if got := baseline.Quantile(values, c.p); !near(got, c.want, 1e-12) {
			t.Errorf("the %g-quantile is %g, want %g", c.p, got, c.want)
		}
	}
	if values[0] != 9 {
		t.Error("the values were put into another order")
	}
	if got := baseline.MAD(values); got != 3 { // |5 -3 0 -2 4|
		t.Errorf("the MAD is %g, want 3", got)
	}
	if got := baseline.Median(nil); got != 0 {
		t.Errorf("the median of nothing is %g", got)
	}
}

// TestEqualWeightsAreNone holds the weighted median against the plain one.
func TestEqualWeightsAreNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 40).Draw(t, "values")
		weight := rapid.SampledFrom([]float64{1, 0.1, 0.01, 7}).Draw(t, "weight")
		samples := make([]baseline.Sample, len(values))
		for i, v := range values {
			samples[i] = baseline.Sample{Value: v, Weight: weight}
		}
		if got, want := baseline.WeightedMedian(samples), baseline.Median(values); math.Abs(got-want) > 1e-6 {
			t.Fatalf("weighted %g, plain %g", got, want)
		}
	})
}

func TestWeightedMedian(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples []baseline.Sample
		want    float64
	}{
		{"nothing", nil, 0},
		{"no weight", []baseline.Sample{{5, 0}}, 0},
		{"the heavy one", []baseline.Sample{{1, 1}, {2, 1}, {100, 10}}, 100},
		{"many light ones", []baseline.Sample{{1, 1}, {2, 1}, {100, 0.1}, {101, 0.1}, {102, 0.1}}, 2},
		{"between two", []baseline.Sample{{1, 1}, {50, 0}, {3, 1}}, 2},
	} {
		if got := baseline.WeightedMedian(c.samples); got != c.want {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// TestScoreIsCalibrated draws histories of normal values and one value more, which is
// no different: a score of at least 3 must be about as rare as it says (0.00135),
// however short the history, while Z alone says so far too often.
func TestScoreIsCalibrated(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 12))
	const rounds = 40_000
	limit := math.Exp(baseline.LogNormalTail(3))
	for _, n := range []int{8, 12, 24, 60} {
		scores, zs := 0, 0
		samples := make([]float64, n)
		for range rounds {
			for i := range samples {
				samples[i] = random.NormFloat64()
			}
			// No floor, and nothing drifts: the formula alone is tried.
			b := baseline.Model{Warm: n}.Learn(samples).Baseline
			v := random.NormFloat64()
			if b.Score(v) >= 3 {
				scores++
			}
			if b.Z(v) >= 3 {
				zs++
			}
		}
		score, z := float64(scores)/rounds, float64(zs)/rounds
		t.Logf("n=%d: P(score >= 3) = %.5f, P(z >= 3) = %.5f, wanted %.5f", n, score, z, limit)
		if score > 1.3*limit || score < limit/5 {
			t.Errorf("n=%d: a score of 3 has probability %.5f, wanted about %.5f", n, score, limit)
		}
		if n <= 24 && z < 2*limit {
			t.Errorf("n=%d: Z of 3 has probability %.5f: the correction is not needed?", n, z)
		}
	}
}
