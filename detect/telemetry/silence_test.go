package telemetry

import (
	"testing"
	"time"
)

var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(minutes float64) time.Time {
	return midnight.Add(time.Duration(minutes * float64(time.Minute)))
}

// heard and wrote are the collector's signs of life from one minute up to another.
func heard(from, to int) life { return signs(from, to, true) }
func wrote(from, to int) life { return signs(from, to, false) }

func signs(from, to int, heard bool) life {
	var l life
	for m := from; m < to; m++ {
		l = append(l, sign{Minute: at(float64(m)), Heard: heard})
	}
	return l
}

func TestSilence(t *testing.T) {
	for _, c := range []struct {
		name     string
		life     life
		last, at time.Time
		want     time.Duration
	}{
		{"others are heard", heard(0, 30), at(20.5), at(30), 9*time.Minute + 30*time.Second},
		{"it was heard just now", heard(0, 30), at(29.9), at(30), 6 * time.Second},
		{"nobody is heard, and nothing written", heard(0, 21), at(20.5), at(30), 30 * time.Second},
		{"nobody is heard, counts are written", append(heard(0, 21), wrote(21, 30)...), at(20.5), at(30), 7*time.Minute + 30*time.Second},
		{"a short pause of the collector", append(heard(0, 21), heard(24, 30)...), at(20), at(30), 10 * time.Minute},
		{"a long pause of the collector", append(heard(0, 21), heard(25, 30)...), at(20), at(30), 5 * time.Minute},
		{"what is not known yet", heard(0, 30), at(20), at(25), 5 * time.Minute},
		{"counts that are not settled yet", append(heard(0, 21), wrote(21, 30)...), at(20), at(22), time.Minute},
		{"the collector never lived", nil, at(20), at(30), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.life.silence(c.last, c.at); got != c.want {
				t.Errorf("silence %s, want %s", got, c.want)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	d := New(DefaultConfig(), nil)
	for gap, want := range map[uint64]time.Duration{0: 5 * time.Minute, 10: 5 * time.Minute, 100: 5 * time.Minute, 240: 12 * time.Minute} {
		if got := d.limit(rhythm{GapSeconds: gap}); got != want {
			t.Errorf("a usual longest pause of %d s: limit %s, want %s", gap, got, want)
		}
	}
}
