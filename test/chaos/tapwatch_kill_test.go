//go:build linux

package chaos

import (
	"math/rand/v2"
	"testing"
	"time"
)

// journal is a configuration by which what counts as received survives a kill.
const journal = smallInserts + "  durability: journal\n"

// killed is what an exporter sent to a tapwatch that was killed.
type killed struct {
	first   uint64 // number of the first record
	counted uint64 // records that tapwatch had counted as received before
}

// TestTapwatchKilled kills tapwatch, and with it the engine, under load, and starts it
// again on the same directories: what it had counted as received is stored, once. Of one
// connection that is all up to some record, without a hole.
func TestTapwatchKilled(t *testing.T) {
	t.Parallel()
	s := newSetup(t, journal)
	var all []killed
	for n := range *kills {
		all = append(all, killUnderLoad(t, s, 1+uint64(n)<<32))
	}
	w := s.start(t)
	w.idle(t)
	store := s.open(t)
	total := uint64(0)
	for n, k := range all {
		got := holds(t, store, k.first, k.first+1<<31)
		total += got.Flows
		t.Logf("kill %d: %d records counted, %d stored", n+1, k.counted, got.Flows)
		if got.Flows < k.counted {
			t.Errorf("kill %d: %d records were counted as received, and %d are stored", n+1, k.counted, got.Flows)
		}
		if got.Flows != 0 && (got.Least != k.first || got.Greatest-got.Least+1 != got.Flows) {
			t.Errorf("kill %d: of records %d to %d only %d are stored", n+1, k.first, got.Greatest, got.Flows)
		}
	}
	once(t, store, total)
}

// killUnderLoad starts tapwatch and kills it while an exporter sends.
func killUnderLoad(t *testing.T, s *setup, first uint64) killed {
	t.Helper()
	w := s.start(t)
	e := export(t, "tcp", "127.10.3.1", s.tcp, first)
	w.until(t, "records are stored", func(m metrics) bool { return m[stored] > 2000 && m[received] > 2000 })
	// No wait for something to come true: the moment is what the test varies.
	<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond)
	m, err := s.scrape()
	if err != nil {
		t.Fatal(err)
	}
	w.kill()
	e.stop()
	return killed{first, max(m.count(received), m.count(decoded))}
}
