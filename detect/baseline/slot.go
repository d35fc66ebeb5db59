package baseline

import "time"

// Slot is a part of the week in which traffic is alike: an hour of the day, on
// weekdays or at weekends. Hour of the week alone would leave four values a month.
type Slot struct {
	Hour    int
	Weekend bool
}

// SlotOf is the slot of a moment, in the location of t.
func SlotOf(t time.Time) Slot {
	return Slot{Hour: t.Hour(), Weekend: Weekend(t)}
}

// Weekend tells whether t is on a Saturday or Sunday, in the location of t.
func Weekend(t time.Time) bool {
	d := t.Weekday()
	return d == time.Saturday || d == time.Sunday
}

// Near tells whether the moment's slot is the same or an hour beside it, in the
// location of t.
func (s Slot) Near(t time.Time) bool {
	if Weekend(t) != s.Weekend {
		return false
	}
	apart := (t.Hour() - s.Hour + 24) % 24
	return apart <= 1 || apart == 23
}

// Twin is the same hour on the other days of the week.
func (s Slot) Twin() Slot { return Slot{Hour: s.Hour, Weekend: !s.Weekend} }

// Hours are the full hours of [from, to) that are near the slot, in order and in the
// location of from.
func (s Slot) Hours(from, to time.Time) []time.Time {
	var all []time.Time
	for t := from; t.Before(to); t = t.Add(time.Hour) {
		if s.Near(t) {
			all = append(all, t)
		}
	}
	return all
}
