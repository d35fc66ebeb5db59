package baseline_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"tapwatch/detect/baseline"
)

// days are logarithms of a key's daily bytes: about typical, spread as sigma says.
func days(random *rand.Rand, n int, typical, sigma float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = baseline.Log(typical) + sigma*random.NormFloat64()
	}
	return all
}

// TestOneHugeDay: whatever one day brings, and whenever, the amount that is held for
// usual of a regular sender moves by less than 5 %.
func TestOneHugeDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		model := baseline.Default()
		values := days(random, 28, 2e7, rapid.Float64Range(0.02, 0.1).Draw(t, "sigma"))
		want := model.Learn(values).Baseline
		at := rapid.IntRange(model.Warm, len(values)-1).Draw(t, "at")
		values[at] += rapid.Float64Range(3, 15).Draw(t, "huge") // 20 to 3 million times as much
		got := model.Learn(values)
		if w := got.Weights[at]; w > 0.1 || w > 0.01 && at >= 14 { // few days allow no sure judgement
			t.Fatalf("the huge day counts %g", got.Weights[at])
		}
		if moved := math.Abs(math.Expm1(got.Center - want.Center)); moved >= 0.05 {
			t.Fatalf("what is usual moved by %.1f %%", 100*moved)
		}
	})
}

// TestPoisoning has an intruder raise the traffic by a tenth a day: the baseline does
// not follow, and CUSUM sees it within the fortnight.
func TestPoisoning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		const before, attack = 28, 21
		values := days(random, before+attack, 2e7, rapid.Float64Range(0.02, 0.3).Draw(t, "sigma"))
		for i := range attack {
			values[before+i] += float64(i+1) * math.Log(1.1)
		}
		learned := baseline.Default().Learn(values)
		sum, alarm := baseline.CUSUM{K: 0.5, Cap: 3}, -1
		h := baseline.Threshold(1000, 1, 0.05, 0.5)
		for i, score := range learned.Scores[before:] {
			if sum.Step(score) >= h && alarm < 0 {
				alarm = i + 1
			}
		}
		if alarm < 0 || alarm > attack {
			t.Fatalf("not seen: the sum is %.1f of %.1f", sum.S, h)
		}
		clean := baseline.Default().Learn(values[:before]).Center
		if moved := learned.Center - clean; moved > math.Log(1.1)*attack/3 {
			t.Fatalf("the baseline followed by %.2f of %.2f", moved, math.Log(1.1)*attack)
		}
	})
}

// TestLastingChangeBecomesUsual: once most of the history is of after the change, the
// new level is what is usual.
func TestLastingChangeBecomesUsual(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	model := baseline.Default()
	values := append(days(random, 2, 1e6, 0.1), days(random, 26, 1e8, 0.1)...)
	b := model.Learn(values).Baseline
	if got := b.Score(baseline.Log(1e8)); math.Abs(got) > 1 {
		t.Errorf("the level of 26 of 28 days scores %.1f", got)
	}
}

func TestLearnLooksBackOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 25), 8, 60).Draw(t, "values")
		cut := rapid.IntRange(6, len(values)-1).Draw(t, "cut")
		whole, part := baseline.Default().Learn(values), baseline.Default().Learn(values[:cut])
		for i := range cut {
			if whole.Scores[i] != part.Scores[i] || whole.Weights[i] != part.Weights[i] {
				t.Fatalf("value %d is judged otherwise when more follow", i)
			}
		}
	})
}

func TestSamplingErrorWidens(t *testing.T) {
	b := baseline.Baseline{Center: baseline.Log(1e7), Scale: 0.25, N: 60}
	v := baseline.Log(5e7)
	exact, sampled := b.Score(v), b.ScoreWith(v, baseline.SamplingError(5e7, 10_000))
	if exact < 4.5 || sampled > 3 {
		t.Errorf("five times as much scores %.1f, by one of 10,000 packets %.1f", exact, sampled)
	}
}

// TestSamplingError draws samples of packets and holds the spread of the estimates
// against the bound.
func TestSamplingError(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for _, size := range []float64{100, 800, 1500} {
		const interval, packets = 100, 100_000
		var logs []float64
		for range 400 {
			sampled := 0
			for range packets {
				if random.IntN(interval) == 0 {
					sampled++
				}
			}
			logs = append(logs, math.Log(float64(sampled)*size*interval))
		}
		mean, square := 0.0, 0.0
		for _, l := range logs {
			mean += l / float64(len(logs))
		}
		for _, l := range logs {
			square += (l - mean) * (l - mean) / float64(len(logs)-1)
		}
		got, bound := math.Sqrt(square), baseline.SamplingError(packets*size, interval)
		if got > 1.1*bound {
			t.Errorf("packets of %g bytes: the standard error is %.4f, above the bound %.4f", size, got, bound)
		}
		if size == 1500 && got < 0.8*bound {
			t.Errorf("packets of %g bytes: the bound %.4f is far above %.4f", size, bound, got)
		}
	}
}

// TestPool: the spread of a long history makes a short one's level good enough, and
// never narrower than its own.
func TestPool(t *testing.T) {
	short := baseline.Baseline{Center: 13, Spread: 0.3, Scale: 0.3, N: 12}
	long := baseline.Baseline{Center: 15, Spread: 0.4, Scale: 0.4, N: 40}
	alone, pooled := short.Score(17.6), short.Pool(long).Score(17.6)
	if alone >= 4.5 || pooled < 4.5 {
		t.Errorf("a hundred times as much scores %.1f by 12 values, %.1f with 40 more for the spread", alone, pooled)
	}
	// A floor is no estimate: where nothing was ever sent, few days are enough.
	if z := (baseline.Model{Floor: 0.5, Warm: 5}).Learn(make([]float64, 8)).Score(baseline.Log(1e6)); z < 20 {
		t.Errorf("a megabyte after eight days of nothing scores %.1f", z)
	}
	if got := long.Pool(short); got.Scale != 0.4 || got.Center != 15 {
		t.Errorf("pooled %+v", got)
	}
}
