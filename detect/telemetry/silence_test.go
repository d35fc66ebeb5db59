package telemetry

import (
	"net/netip"
	"testing"
	"time"
)

var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(minutes float64) time.Time {
	return midnight.Add(time.Duration(minutes * float64(time.Minute)))
}

// life is a past in which the collector lived.
type life struct{ *past }

func lived() life { return life{newPast(nil)} }

// heard and wrote add minutes in which a flow was stored, and counts were written.
func (l life) heard(from, to int) life   { return l.add(l.heardMinute, from, to) }
func (l life) wroteIn(from, to int) life { return l.add(l.wrote, from, to) }

func (l life) add(minutes map[int64]uint64, from, to int) life {
	for m := minuteOf(midnight) + int64(from); m < minuteOf(midnight)+int64(to); m++ {
		minutes[m/60] |= 1 << (m % 60)
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
		{"others are heard", lived().heard(0, 30), at(20.5), at(30), 9*time.Minute + 30*time.Second},
		{"it was heard just now", lived().heard(0, 30), at(29.9), at(30), 6 * time.Second},
		{"nobody is heard, and nothing written", lived().heard(0, 21), at(20.5), at(30), 30 * time.Second},
		{"nobody is heard, counts are written", lived().heard(0, 21).wroteIn(21, 30), at(20.5), at(30), 7*time.Minute + 30*time.Second},
		{"a short pause of the collector", lived().heard(0, 21).heard(24, 30), at(20), at(30), 10 * time.Minute},
		{"a long pause of the collector", lived().heard(0, 21).heard(25, 30), at(20), at(30), 5 * time.Minute},
		{"what is not known yet", lived().heard(0, 30), at(20), at(25), 5 * time.Minute},
		{"counts that are not settled yet", lived().heard(0, 21).wroteIn(21, 30), at(20), at(22), time.Minute},
		{"over an hour's end", lived().heard(0, 130), at(50), at(125), 75 * time.Minute},
		{"the collector never lived", lived(), at(20), at(30), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.life.silence(c.last, c.at, 24*time.Hour); got != c.want {
				t.Errorf("silence %s, want %s", got, c.want)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	d := New(DefaultConfig(), nil)
	for gap, want := range map[int]time.Duration{0: 5 * time.Minute, 10: 5 * time.Minute, 100: 5 * time.Minute, 240: 12 * time.Minute} {
		if got := d.limit(rhythm{Gap: time.Duration(gap) * time.Second}); got != want {
			t.Errorf("a usual longest pause of %d s: limit %s, want %s", gap, got, want)
		}
	}
}

// TestHeard holds that what is said of a moment is the same whether more was read
// after it or not.
func TestHeard(t *testing.T) {
	router := netip.MustParseAddr("10.0.0.1")
	marks := []uint32{5_000, 12_000, 29_999, 600_500, 1_200_000, 3_599_999}
	whole := newPast(nil)
	for i := range marks {
		part := newPast(nil)
		for _, mark := range marks[:i+1] {
			add(part, router, mark)
		}
		add(whole, router, marks[i])
		for _, upto := range marks[:i+1] {
			now := midnight.Add(time.Duration(upto/10_000+1) * slot)
			a, okA := part.lastSlot(router, now, midnight)
			b, okB := whole.lastSlot(router, now, midnight)
			if a != b || okA != okB || a*10 != now.Unix()-10 {
				t.Errorf("heard at %d ms: last slot %d, %v and %d, %v", upto, a, okA, b, okB)
			}
		}
	}
	for n, want := range map[time.Duration]time.Duration{
		30 * time.Second: 29999 * time.Millisecond, 10 * time.Minute: 29999 * time.Millisecond, 20 * time.Minute: 600500 * time.Millisecond,
	} {
		at, ok := whole.lastSlot(router, midnight.Add(n), midnight)
		if got := whole.exactly(router, at); !ok || got.Sub(midnight) != want {
			t.Errorf("after %s it was last heard after %s, want %s", n, got.Sub(midnight), want)
		}
	}
	if r := whole.rhythm(router, hourOf(midnight)*slotsPerHour+359, time.Hour); r.Buckets != 6 || r.Age != 3590*time.Second || r.Gap != 2390*time.Second {
		t.Errorf("rhythm %+v", r)
	}
}

func add(p *past, router netip.Addr, mark uint32) {
	hour := hourOf(midnight)
	if p.heard[hour][router] == nil {
		p.heard.set(hour, router, &heardHour{})
	}
	p.heard[hour][router].add(mark)
}
