package telemetry

import (
	"math/bits"
	"time"
)

// Times are counted in whole hours, minutes and ten seconds since 1970.
const (
	slotsPerHour = 360
	slot         = 10 * time.Second
)

func hourOf(t time.Time) int64   { return t.Unix() / 3600 }
func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// atHour and atMinute are when the hour and the minute begin.
func atHour(h int64) time.Time   { return time.Unix(h*3600, 0).UTC() }
func atMinute(m int64) time.Time { return time.Unix(m*60, 0).UTC() }

// grid is a value of each K for each unit of time.
type grid[K comparable, V any] map[int64]map[K]V

func (g grid[K, V]) set(at int64, key K, v V) {
	row := g[at]
	if row == nil {
		row = map[K]V{}
		g[at] = row
	}
	row[key] = v
}

// trim forgets what lies before.
func (g grid[K, V]) trim(before int64) {
	for at := range g {
		if at < before {
			delete(g, at)
		}
	}
}

// tally is what was seen in an hour: how many flows, and in which of its minutes.
type tally struct{ flows, minutes uint64 }

// series are the tallies of one thing, hour by hour from base on.
type series struct {
	base  int64
	hours []tally
}

func (s *series) add(hour int64, t tally) {
	if len(s.hours) == 0 {
		s.base = hour
	}
	if hour < s.base {
		s.hours = append(make([]tally, s.base-hour), s.hours...)
		s.base = hour
	}
	for s.base+int64(len(s.hours)) <= hour {
		s.hours = append(s.hours, tally{})
	}
	at := &s.hours[hour-s.base]
	at.flows += t.flows
	at.minutes |= t.minutes
}

// trim forgets what lies before, and tells whether nothing is left.
func (s *series) trim(before int64) (empty bool) {
	if n := min(max(0, before-s.base), int64(len(s.hours))); n > 0 {
		s.hours = append([]tally(nil), s.hours[n:]...)
		s.base += n
	}
	return len(s.hours) == 0
}

func (s *series) at(hour int64) tally {
	if i := hour - s.base; i >= 0 && i < int64(len(s.hours)) {
		return s.hours[i]
	}
	return tally{}
}

// below are the bits of the minutes of an hour before the minute m of all time.
func below(hour, m int64) uint64 {
	n := m - hour*60
	switch {
	case n <= 0:
		return 0
	case n >= 60:
		return ^uint64(0)
	default:
		return 1<<n - 1
	}
}

// last is the last minute before m in which something was seen; ok is false where
// there is none.
func (s *series) last(m int64) (minute int64, ok bool) {
	for i := min(int64(len(s.hours))-1, (m-1)/60-s.base); i >= 0; i-- {
		if seen := s.hours[i].minutes & below(s.base+i, m); seen != 0 {
			return (s.base+i)*60 + int64(bits.Len64(seen)) - 1, true
		}
	}
	return 0, false
}

// between is how many flows there were from minute a up to b, where only part of an
// hour counts in proportion.
func (s *series) between(a, b int64) float64 {
	var sum float64
	for h := a / 60; h*60 < b; h++ {
		part := min(b, h*60+60) - max(a, h*60)
		sum += float64(s.at(h).flows) * float64(part) / 60
	}
	return sum
}

// first is the first minute from m on in which something was seen.
func (s *series) first(m int64) (minute int64, ok bool) {
	for i := max(0, m/60-s.base); i < int64(len(s.hours)); i++ {
		if seen := s.hours[i].minutes &^ below(s.base+i, m); seen != 0 {
			return (s.base+i)*60 + int64(bits.TrailingZeros64(seen)), true
		}
	}
	return 0, false
}

// active is in how many of the minutes from a up to b something was seen.
func (s *series) active(a, b int64) (n int) {
	for h := a / 60; h*60 < b; h++ {
		n += bits.OnesCount64(s.at(h).minutes & below(h, b) &^ below(h, a))
	}
	return n
}
