package baseline_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tapwatch/detect/baseline"
)

// TestTails holds the tails against values of tables and of R 4.
func TestTails(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"normal 0", baseline.LogNormalTail(0), math.Log(0.5)},
		{"normal -1", baseline.LogNormalTail(-1), math.Log(0.8413447460685429)},
		{"normal 4.5", baseline.LogNormalTail(4.5), math.Log(3.3976731247300535e-06)},
		{"normal 40, pnorm(log=TRUE)", baseline.LogNormalTail(40), -804.608442},
		{"student 2, 10", baseline.LogStudentTail(2, 10), math.Log(0.03669402)},
		{"student 63.657, 1", baseline.LogStudentTail(63.656741, 1), math.Log(0.005)},
		{"student 2.0, 1e7", baseline.LogStudentTail(2, 1e7), math.Log(0.0227501)},
		{"binomial 3 of 10, 0.1", baseline.LogBinomialTail(3, 10, 0.1), math.Log(0.0701908264)},
		{"binomial 1 of 50, 0.01", baseline.LogBinomialTail(1, 50, 0.01), math.Log(1 - math.Pow(0.99, 50))},
		{"binomial 1000 of 1000, 0.1", baseline.LogBinomialTail(1000, 1000, 0.1), 1000 * math.Log(0.1)},
		{"poisson 3, 0.5", baseline.LogPoissonTail(3, 0.5), math.Log(0.01438767797)},
		{"poisson 1, 100", baseline.LogPoissonTail(1, 100), math.Log1p(-math.Exp(-100))},
		{"poisson 500, 1", baseline.LogPoissonTail(500, 1), -2612.328322},
	} {
		if !near(c.got, c.want, 2e-6) && math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: %.9g, want %.9g", c.name, c.got, c.want)
		}
	}
}

// TestBinomialAgainstSum holds the beta function against plain adding.
func TestBinomialAgainstSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "n")
		k := rapid.IntRange(1, n).Draw(t, "k")
		p := rapid.Float64Range(0.001, 0.999).Draw(t, "p")
		sum := 0.0
		for i := k; i <= n; i++ {
			l, _ := math.Lgamma(float64(n + 1))
			a, _ := math.Lgamma(float64(i + 1))
			b, _ := math.Lgamma(float64(n - i + 1))
			sum += math.Exp(l - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		if got := math.Exp(baseline.LogBinomialTail(k, n, p)); math.Abs(got-sum) > 1e-9*sum+1e-13 {
			t.Fatalf("P(X >= %d) of %d at %g: %g, want %g", k, n, p, got, sum)
		}
	})
}

func TestNormalDeviateInverts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := rapid.Float64Range(0.001, 200).Draw(t, "z")
		if got := baseline.NormalDeviate(baseline.LogNormalTail(z)); !near(got, z, 1e-6) {
			t.Fatalf("%g comes back as %g", z, got)
		}
	})
	if got := baseline.NormalDeviate(0); got != 0 {
		t.Errorf("a certain thing deviates by %g", got)
	}
}

func TestDiscoveries(t *testing.T) {
	// The example of Benjamini and Hochberg (1995), table 3: four at q = 0.05.
	ps := []float64{0.0344, 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}
	logs := make([]float64, len(ps))
	for i, p := range ps {
		logs[i] = math.Log(p)
	}
	want := make([]bool, len(ps))
	for i := 1; i <= 4; i++ {
		want[i] = true
	}
	if got := baseline.Discoveries(logs, 0.05); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if got := baseline.Discoveries(nil, 0.05); len(got) != 0 {
		t.Errorf("found %v in nothing", got)
	}
}

func TestSlots(t *testing.T) {
	friday := time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)
	slot := baseline.SlotOf(friday)
	for _, c := range []struct {
		at   time.Time
		near bool
	}{
		{friday.AddDate(0, 0, -1), true},
		{friday.AddDate(0, 0, -1).Add(time.Hour), true}, // Friday, 0 o'clock
		{friday.Add(-time.Hour), true},
		{friday.Add(-2 * time.Hour), false},
		{friday.Add(time.Hour), false}, // Saturday, 0 o'clock
		{friday.AddDate(0, 0, 1), false},
	} {
		if got := slot.Near(c.at); got != c.near {
			t.Errorf("%s is near Friday 23 h: %t", c.at.Format("Mon 15:04"), got)
		}
	}
	hours := slot.Hours(friday.AddDate(0, 0, -28), friday)
	if len(hours) != 60 { // 20 weekdays of 3 hours
		t.Errorf("%d hours of 28 days, want 60", len(hours))
	}
}

func TestRarity(t *testing.T) {
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	at := since.AddDate(0, 0, 20)
	r := baseline.Rarity{Hosts: 2, Of: 100, First: at.AddDate(0, 0, -3), Since: since}
	if !r.Rare(0.02) || r.Rare(0.01) || r.Common(0.5) {
		t.Errorf("2 of 100 hosts: %v", r)
	}
	if !r.Warm(at, 14*24*time.Hour) || r.Warm(at, 21*24*time.Hour) {
		t.Error("20 days are enough for 14 and not for 21")
	}
	if !r.New(at, 7*24*time.Hour) || r.New(at, 2*24*time.Hour) {
		t.Error("what is seen for 3 days is new within 7, not within 2")
	}
	old := baseline.Rarity{First: since, Since: since}
	if old.New(at, 30*24*time.Hour) {
		t.Error("what was there when seeing began is called new")
	}
	if (baseline.Rarity{Hosts: 1, Of: 1}).Rare(0.02) {
		t.Error("the only host is called rare")
	}
}
