package telemetry

import (
	"net/netip"
	"slices"
	"time"
)

// use is how much something was used, as one router saw it.
type use struct {
	*series
	exporter netip.Addr
}

// stillness is a time in which nothing was seen of something that is in use.
type stillness struct {
	// last is the last minute in which it was seen, until the minute at whose beginning it
	// is judged.
	last, until int64
	// expected is how many flows there would have been, by the same hours of the days
	// before; days is of how many days that is the middle.
	expected float64
	days     int
	// limit is how long it may be still by its own pauses, heard for how long it was and
	// routers were heard that would have shown it; in minutes.
	limit, heard int64
}

func (s *stillness) lastSeen() time.Time     { return atMinute(s.last + 1) }
func (s *stillness) minutes() int64          { return s.until - s.last - 1 }
func (s *stillness) duration() time.Duration { return time.Duration(s.minutes()) * time.Minute }

// repeats tells whether the stillness is due again, a minute after it was.
func (s *stillness) repeats(every time.Duration) bool {
	return again(s.duration(), s.duration()-time.Minute, every)
}

const minutesOfDay = 24 * 60

// alikeDays is of how many days it must be known what is usual.
const alikeDays = 2

// still tells whether something in use has not been seen, at the beginning of minute
// now, for longer than its own history allows: expected flows or more are missing,
// and it never was still for nearly so long (but once, for outages happen).
func (d *Detector) still(p *past, uses []use, now int64, atLeast time.Duration) (s stillness, is bool) {
	s.until = now
	for _, u := range uses {
		if last, ok := u.last(now); ok {
			s.last = max(s.last, last)
		}
	}
	if s.last == 0 || s.duration() < atLeast || s.duration() > d.cfg.History {
		return s, false
	}
	s.expected, s.days = d.expected(p, uses, s.last+1, now)
	if s.expected < d.cfg.Expected || s.days < alikeDays {
		return s, false
	}
	s.limit = d.pauses(uses, s.last)
	s.heard = int64(p.heardBest(uses, s.last+1, now) * float64(s.minutes()))
	return s, s.heard > s.limit
}

// expected is how many flows are usual from minute a up to b: the middle of what
// there was at the same time of the days before, workdays or weekends apart where
// there are two. What routers were heard in the time counts, in proportion, and
// what they saw when they sampled less is scaled to how they sample now. Where even
// all of it is less than Config.Expected, it is not told exactly.
func (d *Detector) expected(p *past, uses []use, a, b int64) (flows float64, days int) {
	first, ok := earliest(uses, b-int64(d.cfg.Habits/time.Minute))
	if !ok {
		return 0, 0
	}
	if flows, days = d.usual(uses, first, a, b, func(int, int64) float64 { return 1 }); flows < d.cfg.Expected {
		return flows, days
	}
	heard, samples := make([]float64, len(uses)), make([]uint32, len(uses))
	for i, u := range uses {
		heard[i], samples[i] = p.listened(u.exporter, a, b), p.sampling(u.exporter, a, b)
	}
	return d.usual(uses, first, a, b, func(i int, from int64) float64 {
		return heard[i] * scale(p.samplingThen(uses[i].exporter, from/60), samples[i])
	})
}

// usual is the middle of what there was at the same time of the days before, since the
// minute first. weight is that of a use on the day whose time begins at from.
func (d *Detector) usual(uses []use, first, a, b int64, weight func(i int, from int64) float64) (flows float64, days int) {
	var alike, all []float64
	for k := int64(1); k*minutesOfDay <= int64(d.cfg.Habits/time.Minute); k++ {
		from, to := a-k*minutesOfDay, b-k*minutesOfDay
		if to > a || from < first {
			continue
		}
		sum := 0.0
		for i, u := range uses {
			if n := u.between(from, to); n > 0 {
				sum += n * weight(i, from)
			}
		}
		all = append(all, sum)
		if weekend(from) == weekend(a) {
			alike = append(alike, sum)
		}
	}
	if len(alike) >= 2 {
		all = alike
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[(len(all)-1)/2], len(all)
}

// heardBest is in which share of the time from minute a up to b the router was heard that
// was heard most.
func (p *past) heardBest(uses []use, a, b int64) (share float64) {
	seen := map[netip.Addr]bool{}
	for _, u := range uses {
		if !seen[u.exporter] {
			seen[u.exporter] = true
			share = max(share, p.listened(u.exporter, a, b))
		}
	}
	return share
}

// scale is which part of the flows of a time with one sampling interval is seen with
// another; never more than all.
func scale(then, now uint32) float64 {
	if then == 0 || now <= then {
		return 1
	}
	return float64(then) / float64(now)
}

func weekend(minute int64) bool {
	wd := atMinute(minute).Weekday()
	return wd == time.Saturday || wd == time.Sunday
}

// earliest is the first minute from m on in which any was seen.
func earliest(uses []use, m int64) (first int64, ok bool) {
	for _, u := range uses {
		if at, seen := u.first(m); seen && (!ok || at < first) {
			first, ok = at, true
		}
	}
	return first, ok
}

// pauses is how long something may be still by its own pauses up to the minute last:
// Gaps times what 99 of 100 do not exceed, or twice the longest but one, if that is
// more.
func (d *Detector) pauses(uses []use, last int64) (minutes int64) {
	var gaps []int64
	before := int64(-1)
	for h := (last - int64(d.cfg.Habits/time.Minute)) / 60; h*60 <= last; h++ {
		var seen uint64
		for _, u := range uses {
			seen |= u.at(h).minutes
		}
		seen &= below(h, last+1)
		for i := int64(0); seen>>i != 0 && i < 60; i++ {
			if seen>>i&1 == 0 {
				continue
			}
			if before >= 0 {
				gaps = append(gaps, h*60+i-before)
			}
			before = h*60 + i
		}
	}
	if len(gaps) < 2 {
		return int64(d.cfg.Habits / time.Minute) // it has no habit
	}
	slices.Sort(gaps)
	return max(int64(d.cfg.Gaps*float64(gaps[len(gaps)*99/100])), 2*gaps[len(gaps)-2])
}

// sampling is the sampling interval of most records from minute a up to b, of a long
// time its last hour, or of the last quarter of an hour, if that is larger: what is
// missing since a change of sampling is not missing. Without records it is that of the
// latest hour with some.
func (p *past) sampling(addr netip.Addr, a, b int64) uint32 {
	if s := max(dominant(p.exported(addr, max(a, b-60), b)), dominant(p.exported(addr, max(a, b-15), b))); s != 0 {
		return s
	}
	for h := b/60 - 1; h > b/60-24; h-- {
		if s := dominant(p.exportHours[h][addr]); s != 0 {
			return s
		}
	}
	return 0
}

// samplingThen is the sampling interval of most records of the hour.
func (p *past) samplingThen(addr netip.Addr, hour int64) uint32 {
	return dominant(p.exportHours[hour][addr])
}
