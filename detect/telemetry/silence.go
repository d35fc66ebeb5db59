package telemetry

import (
	"slices"
	"time"
)

// pause is how long the collector may give no sign of life without counting as
// down: its counts come every minute.
const pause = 3 * time.Minute

// sign is a minute in which the collector was alive.
type sign struct {
	Minute time.Time `ch:"minute"`
	// Heard says that it stored a flow; otherwise it only wrote its counts.
	Heard bool `ch:"heard"`
}

// life is the collector's minutes, ascending.
type life []sign

// silence is how long, at the given time, an exporter last heard at last had been
// silent while the collector listened without a break. The time that the collector
// was down does not count, nor what is not known yet.
func (l life) silence(last, at time.Time) time.Duration {
	since, until := l.awake(at)
	if since.Before(last) {
		since = last
	}
	return max(0, until.Sub(since))
}

// awake bounds the last unbroken time in which the collector was alive, as it was
// known at the given time; zero times if it was not.
func (l life) awake(at time.Time) (since, until time.Time) {
	for _, s := range l {
		known := at
		if !s.Heard {
			known = at.Add(-settle)
		}
		if !s.Minute.Before(known) {
			continue
		}
		if until.IsZero() || s.Minute.Sub(until) > pause {
			since = s.Minute
		}
		until = s.Minute.Add(time.Minute)
	}
	if until.After(at) {
		until = at
	}
	return since, until
}

// candidates are the exporters not heard for at least silence, the latest first.
func candidates(exporters []exporter, now time.Time, silence time.Duration) []exporter {
	var quiet []exporter
	for _, x := range exporters {
		if now.Sub(x.Last) >= silence {
			quiet = append(quiet, x)
		}
	}
	slices.SortStableFunc(quiet, func(a, b exporter) int { return b.Last.Compare(a.Last) })
	return quiet
}

// newest is when any of the exporters was heard last.
func newest(exporters []exporter) time.Time {
	var last time.Time
	for _, x := range exporters {
		if x.Last.After(last) {
			last = x.Last
		}
	}
	return last
}
