package telemetry

import (
	"context"
	"net/netip"
	"time"

	"tapwatch/alert"
)

// silent returns the findings about exporters whose silence is to be reported now.
// However many there are, it asks twice.
func (d *Detector) silent(ctx context.Context, s *scene) (findings []alert.Finding, err error) {
	due, all := d.outages(s)
	if all != nil {
		findings = append(findings, d.allSilent(s, *all, time.Time{}))
	}
	if len(due) == 0 {
		return findings, nil
	}
	watched, err := d.watched(ctx, s, due)
	if err != nil {
		return nil, err
	}
	seen, err := d.neighbours(ctx, s, due)
	if err != nil {
		return nil, err
	}
	for _, x := range due {
		findings = append(findings, d.oneSilent(s, x, watched[x.Addr], seen[x.Addr]))
	}
	return findings, nil
}

// outages are those of the quiet exporters whose silence is to be reported now. Those
// that fell silent together with the latest of all are one outage, for which that one
// stands: all, where it is due.
func (d *Detector) outages(s *scene) (due []exporter, all *exporter) {
	judgedAll := false
	for _, x := range s.quiet {
		stands := standsForAll(x, s.newest)
		if stands && judgedAll || s.silence(x.Last, s.now, d.cfg.History) < d.cfg.Silence {
			continue
		}
		r := s.rhythm(x.Addr, x.slot, d.cfg.History)
		if !d.regular(r) {
			continue
		}
		judgedAll = judgedAll || stands
		// Of all, one that was heard a little later may not be quiet for long enough yet.
		if stands && s.newest*10 > s.now.Add(-d.cfg.Silence).Unix() || !d.due(s, x, r) {
			continue
		}
		if stands {
			all = &x
		} else {
			due = append(due, x)
		}
	}
	return due, all
}

// standsForAll tells whether nobody was heard much later than x.
func standsForAll(x exporter, newest int64) bool {
	return newest < x.slot+int64(together/slot)
}

// regular tells whether an exporter was heard enough for its silence to mean
// something.
func (d *Detector) regular(r rhythm) bool {
	return r.Buckets >= d.cfg.MinBuckets && r.Age >= d.cfg.MinAge
}

// limit is how long the exporter may be silent, by its own habits.
func (d *Detector) limit(r rhythm) time.Duration {
	return max(d.cfg.Silence, time.Duration(d.cfg.Gaps*float64(r.Gap)))
}

// due tells whether the exporter's silence is to be reported now: when it passes
// the limit, at every repetition, and when maintenance no longer holds it back.
func (d *Detector) due(s *scene, x exporter, r rhythm) bool {
	limit, before := d.limit(r), s.now.Add(-every)
	over := s.silence(x.Last, s.now, d.cfg.History) - limit
	overBefore := s.silence(x.Last, before, d.cfg.History) - limit
	held, heldBefore := s.held(x.Addr, s.now), s.held(x.Addr, before)
	switch {
	case over < 0 || held:
		return false
	case overBefore < 0 || heldBefore:
		return true
	default:
		return again(over, overBefore, d.cfg.Repeat)
	}
}

// again tells whether what has lasted for so long is to be reported again: soon, for more
// is known by then of what others see, and then at every repetition.
func again(lasted, before, repeat time.Duration) bool {
	for _, step := range []time.Duration{5 * time.Minute, 15 * time.Minute} {
		if step < repeat && before < step && lasted >= step {
			return true
		}
	}
	return lasted/repeat > before/repeat
}

// returned returns the findings about exporters that were reported as silent and were
// heard again in the last minute, and about those that are known by now to have
// numbered anew when they came back.
func (d *Detector) returned(_ context.Context, s *scene) ([]alert.Finding, error) {
	var findings []alert.Finding
	for _, x := range d.backSince(s, s.now) {
		if x.all {
			findings = append(findings, d.allSilent(s, x.exporter, x.back))
		} else {
			findings = append(findings, d.oneBack(s, x, 0))
		}
	}
	for _, x := range d.backSince(s, s.now.Add(-settle-every)) {
		if n := s.restarts(x.Addr, x.back, s.now); n > 0 && !x.all {
			findings = append(findings, d.oneBack(s, x, n))
		}
	}
	return findings, nil
}

// comeback is an exporter whose silence was reported and that was heard again.
type comeback struct {
	exporter
	back time.Time
	// all says that it stands for all of them.
	all bool
}

// backSince are those that were heard in the minute before at, and not for long before.
func (d *Detector) backSince(s *scene, at time.Time) (all []comeback) {
	before := at.Add(-every)
	quiet, _, newest := s.past.quiet(before, d.cfg.Silence, d.cfg.History)
	earlier := &scene{past: s.past, inv: s.inv}
	told := false
	for _, x := range quiet {
		back, heard := s.firstSlot(x.Addr, before, at)
		if !heard {
			continue
		}
		c := comeback{exporter: x, back: back, all: standsForAll(x, newest)}
		if c.all {
			if told {
				continue
			}
			told = true
			c.exporter = d.latestRegular(s, quiet, x)
		}
		if d.reported(earlier, c.exporter, before) {
			all = append(all, c)
		}
	}
	return all
}

// latestRegular is the exporter that stands for all that fell silent together with x.
func (d *Detector) latestRegular(s *scene, quiet []exporter, x exporter) exporter {
	for _, y := range quiet {
		if d.regular(s.rhythm(y.Addr, y.slot, d.cfg.History)) {
			return y
		}
	}
	return x
}

// reported tells whether the silence was reported, at the given time or before.
func (d *Detector) reported(s *scene, x exporter, at time.Time) bool {
	r := s.rhythm(x.Addr, x.slot, d.cfg.History)
	if !d.regular(r) || s.silence(x.Last, at, d.cfg.History) < d.limit(r) {
		return false
	}
	for s.now = at; s.now.After(x.Last); s.now = s.now.Add(-every) {
		if d.due(s, x, r) {
			return true
		}
	}
	return false
}

// restarts is how often the exporter began to number anew around its return, as far as
// it is known at the given time.
func (p *past) restarts(addr netip.Addr, back, at time.Time) (n uint64) {
	for m := minuteOf(back) - 1; m < minuteOf(at.Add(-settle)); m++ {
		n += p.healthMinutes[m][addr].Restarts
	}
	return n
}
