package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// quiet is a socket that is there as long as the test.
func quiet(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

func TestSearchFindsWhatIsSustained(t *testing.T) {
	const ceiling = 400_000.0
	for _, limit := range []float64{30_000, 150_000, 287_000, 395_000, 610_000} {
		tried := 0
		got, err := search(ceiling, func(rate float64) (bool, error) { tried++; return rate <= limit, nil })
		if err != nil || got > limit || got < limit-finePart*ceiling || tried > 16 {
			t.Errorf("limit %.0f: found %.0f after %d trials (%v)", limit, got, tried, err)
		}
	}
	if got, err := search(ceiling, func(float64) (bool, error) { return false, nil }); err == nil {
		t.Errorf("found %.0f where nothing is sustained", got)
	}
}

func TestGrowthSeesATrendAndNoSawtooth(t *testing.T) {
	for name, want := range map[string]float64{"steady": 0, "growing": 4000} {
		w := &watcher{}
		for at := time.Duration(0); at < 20*time.Second; at += watchEvery {
			// A queue that is emptied once a second, of 100,000 records a second.
			waiting := 100_000 * (at % time.Second).Seconds()
			w.samples = append(w.samples, sample{at, waiting + want*at.Seconds()})
		}
		if got := w.growth(5 * time.Second); got < want-200 || got > want+200 {
			t.Errorf("%s: %.0f/s, want %.0f", name, got, want)
		}
	}
	if got := (&watcher{}).growth(0); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestCountersAreAddedUp(t *testing.T) {
	c, err := readCounters(strings.NewReader("# HELP a b\n# TYPE a counter\na{x=\"1 2\"} 3\na{x=\"y\"} 1e2\nb 7\n\n"))
	if err != nil || c["a"] != 103 || c["b"] != 7 {
		t.Errorf("%v (%v)", c, err)
	}
	if _, err := readCounters(strings.NewReader("a few words\n")); err == nil {
		t.Error("words are taken for a number")
	}
}

func TestTrialIsSustained(t *testing.T) {
	good := trial{rate: 1000, most: 10, sent: sent{Records: 10_000, Seconds: 10}, received: 10_000, rows: 10_000, growth: 9}
	if !good.sustained() {
		t.Error("a good trial is not sustained")
	}
	for name, spoil := range map[string]func(*trial){
		"row lost":       func(t *trial) { t.rows-- },
		"row twice":      func(t *trial) { t.rows++ },
		"not received":   func(t *trial) { t.received-- },
		"kernel dropped": func(t *trial) { t.dropped++ },
		"queue grows":    func(t *trial) { t.growth = 11 },
		"sender is slow": func(t *trial) { t.sent.Seconds = 11 },
	} {
		bad := good
		spoil(&bad)
		if bad.sustained() {
			t.Errorf("%s: taken for sustained", name)
		}
	}
}
