package offhours

import (
	"context"
	"fmt"
	"time"

	"tapwatch/detect"
)

// Ready says how much history there is, and how many of the sources have habits.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	end := at.Truncate(time.Hour)
	habits, err := d.habits(ctx, end, h)
	if err != nil {
		return nil, err
	}
	first, known := end, 0
	for _, x := range habits {
		if x.first.Before(first) {
			first = x.first
		}
		if x.total >= d.cfg.Sessions && x.activeDays >= d.cfg.Days && end.Sub(x.first) >= span {
			known++
		}
	}
	need := span.Hours() / 24
	have := min(end.Sub(first).Hours()/24, need)
	text := "There is history enough to know at which hours people work."
	if have < need {
		text = fmt.Sprintf("Nobody's hours are known until there are %.0f days of history, and %d sessions of a source on %d days.", need, d.cfg.Sessions, d.cfg.Days)
	}
	return []detect.Readiness{
		{Detector: Name, What: "history of sessions", Have: have, Need: need, Unit: "days", Text: text},
		{Detector: Name, What: "sources with habits", Have: float64(known), Need: float64(len(habits)), Unit: "sources",
			Text: fmt.Sprintf("Of %d sources that open sessions to protected systems, %d have %d sessions on %d days; of the others, and of those that only sampling routers see, no hour is unusual.",
				len(habits), known, d.cfg.Sessions, d.cfg.Days)},
	}, nil
}

// habits are when all sources opened sessions before end.
func (d *Detector) habits(ctx context.Context, end time.Time, h detect.History) (map[string]*habit, error) {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	since, until := hourOf(end.Add(-d.cfg.History)), hourOf(end)
	if err := d.book.read(ctx, d, h, since, until); err != nil {
		return nil, err
	}
	return d.book.habits(since, until), nil
}
