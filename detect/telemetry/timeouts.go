package telemetry

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

//go:embed durationevidence.sql
var durationEvidenceSQL string

const (
	// cutSlots is over how many tens of minutes at most the present cut is told.
	cutSlots = 6
	// cutRecords is how many longer records tell it, cutHabit how many make a habit; cutSure
	// how many must have stayed below the usual cut for some that do not to mean something.
	cutRecords, cutHabit, cutSure = 40, 200, 1000
)

// cutChange is an active timeout that is not what it was.
type cutChange struct {
	usual, now    int // buckets
	habit, recent spans
	slots         int64 // how many tens of minutes tell it
}

// timeouts judges every ten minutes where exporters cut long flows: at their active
// timeout records pile up, and beyond it there are none.
func (d *Detector) timeouts(_ context.Context, s *scene) (findings []alert.Finding, err error) {
	now := minuteOf(s.now)
	if now%tenMinutes != 0 {
		return nil, nil
	}
	for addr := range s.longSlots[now/tenMinutes-1] {
		if s.held(addr, s.now) {
			continue
		}
		c, is := d.cutChanged(s.past, addr, now/tenMinutes)
		if !is {
			continue
		}
		if before, was := d.cutChanged(s.past, addr, now/tenMinutes-1); was && before.now == c.now && before.usual == c.usual {
			continue
		}
		findings = append(findings, d.cutFinding(s, addr, &c))
	}
	return findings, nil
}

// cutChanged compares the cut of the latest tens of minutes before the slot with that
// of the history before them.
func (d *Detector) cutChanged(p *past, addr netip.Addr, slot int64) (c cutChange, is bool) {
	for ; c.slots < cutSlots && c.recent.from(0) < cutRecords; c.slots++ {
		c.recent.join(p.longSlots[slot-c.slots-1][addr])
	}
	if c.recent.from(0) < cutRecords {
		return c, false
	}
	hour := (slot - c.slots) * tenMinutes / 60
	for h := hour - int64(d.cfg.History/time.Hour); h < hour; h++ {
		c.habit.join(p.longHours[h][addr])
	}
	var known bool
	if c.usual, known = c.habit.cut(); !known || c.habit.from(0) < cutHabit {
		return c, false
	}
	all, recent := float64(c.habit.from(0)), float64(c.recent.from(0))
	var now bool
	c.now, now = c.recent.cut()
	switch beyond := float64(c.recent.from(c.usual + 2)); {
	case c.habit.from(c.usual+2) == 0 && all >= cutSure && beyond >= 5 && beyond >= 0.02*recent:
		// Records are longer than they ever were. Where they are cut now shows only later.
		for b := range c.recent {
			if c.recent[b] > 0 {
				c.now = b
			}
		}
		return c, true
	case now && c.now <= c.usual-2:
		// None reaches the usual cut, and many should.
		expected := recent * float64(c.habit.from(c.usual-1)) / all
		return c, c.recent.from(c.usual-1) == 0 && expected >= d.cfg.Expected
	default:
		return c, false
	}
}

func (d *Detector) cutFinding(s *scene, addr netip.Addr, c *cutChange) alert.Finding {
	since := s.now.Add(-time.Duration(c.slots) * tenMinutes * time.Minute)
	f := s.finding(ruleTimeout, addr, since)
	router := f.Exporters[0]
	f.ID = alert.Identity(Name, ruleTimeout, addr.String(), fmt.Sprint(c.usual, c.now))
	usual, now := long(c.usual+1), long(c.now+1)
	beyond := c.recent.from(c.usual + 2)
	what := fmt.Sprintf("Its records are cut after about %s now, before after about %s.", detect.Duration(now), detect.Duration(usual))
	f.Severity, f.Confidence = alert.Low, 0.8
	effect := "Long flows come in more and shorter records; amounts are the same, counts of records are not."
	if c.now > c.usual {
		f.Severity, f.Confidence = alert.Medium, 0.9
		what = fmt.Sprintf("Its records are up to %s long now; before they were cut after about %s.", detect.Duration(now), detect.Duration(usual))
		effect = "Long sessions are reported that much later, so alerts about them come late."
	}
	f.Title = fmt.Sprintf("%s cuts long flows otherwise: after about %s, before %s", router, detect.Duration(now), detect.Duration(usual))
	f.Summary = fmt.Sprintf("The active timeout of %s was changed. %s %s", router, what, effect)
	f.Reasons = []string{
		fmt.Sprintf("of the last %d records of 15 seconds and more, %d are longer than %s; of %d in the %s before, %d were",
			c.recent.from(0), beyond, detect.Duration(long(c.usual+2)), c.habit.from(0), detect.Duration(d.cfg.History), c.habit.from(c.usual+2)),
		fmt.Sprintf("%d of the last ones are about as long as the usual cut or longer, where %.0f were to be expected",
			c.recent.from(c.usual-1), float64(c.recent.from(0))*float64(c.habit.from(c.usual-1))/float64(c.habit.from(0))),
	}
	f.Measures = []alert.Measure{{Name: "length at which flows are cut", Observed: now.Seconds(), Expected: usual.Seconds(), Unit: "seconds",
		Rarity: float64(c.habit.from(c.usual+2)+1) / float64(c.habit.from(0)+1)}}
	f.NextSteps = []string{
		"Ask who changed the active timeout, and by which ticket. " + stepPlanned,
		"If nobody did: " + stepConsole, stepTaken,
	}
	f.SQL = fill(durationEvidenceSQL, "{router}", comment(router), "{addr}", addr.String(),
		"{since}", since.Add(-12*time.Hour).Format(sqlTime), "{until}", s.now.Format(sqlTime))
	return f
}
