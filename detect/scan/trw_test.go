package scan

import (
	"math/rand/v2"
	"testing"
)

// TestWalkIsThatOfTheAuthors: with the paper's parameters four net failures decide.
func TestWalkIsThatOfTheAuthors(t *testing.T) {
	cfg := DefaultConfig()
	w := cfg.newWalk()
	for i := range 3 {
		if w.step(true); w.scans() {
			t.Fatalf("decided after %d failures", i+1)
		}
	}
	if w.step(true); !w.scans() {
		t.Errorf("not decided after 4 failures: at %v of %v", w.most, w.upper)
	}
}

// TestWalkErrors draws sources of both kinds: the test keeps the errors it promises,
// and decides within few steps.
func TestWalkErrors(t *testing.T) {
	const sources, contacts = 20_000, 200
	cfg := DefaultConfig()
	random := rand.New(rand.NewPCG(1, 2))
	run := func(success float64) (caught, steps int) {
		for range sources {
			w := cfg.newWalk()
			for n := range contacts {
				w.step(random.Float64() >= success)
				if w.scans() {
					caught, steps = caught+1, steps+n+1
					break
				}
				if w.at == 0 { // held to mean well
					break
				}
			}
		}
		return caught, steps
	}
	if caught, steps := run(cfg.SuccessScanner); caught < sources*(1000-int(1000*cfg.Miss))/1000*99/100 || float64(steps)/float64(caught) > 8 {
		t.Errorf("of %d scanners caught %d, after %.1f contacts", sources, caught, float64(steps)/float64(caught))
	}
	if caught, _ := run(cfg.SuccessBenign); float64(caught) > cfg.FalsePositive*sources {
		t.Errorf("of %d benign sources caught %d", sources, caught)
	}
	// Who fails one time in fifty, as clients of a network that works do, is never held
	// for a scanner in a whole life of contacts.
	caught := 0
	for range 2000 {
		w := cfg.newWalk()
		for range 1000 {
			w.step(random.Float64() < 0.02)
		}
		if w.scans() {
			caught++
		}
	}
	if caught > 10 {
		t.Errorf("of 2000 good clients with 1000 contacts each caught %d", caught)
	}
}
