package console

import (
	"slices"
	"time"
)

// telling is how long an interval must be before it tells that something has stopped.
const telling = 10 * time.Second

// stopped says that what was counted in the last hour is over, by what the last
// interval counted of it.
func (e *ExporterStatus) stopped(latest uint64) bool {
	return e.Latest != nil && latest == 0 && e.interval() >= telling
}

// goesOn says that something was dropped for a reason in the last hour, and still is.
func (e *ExporterStatus) goesOn(reason string) bool {
	return e.Dropped[reason] > 0 && !e.stopped(e.latest(reason))
}

// latest is what the last interval dropped for a reason.
func (e *ExporterStatus) latest(reason string) uint64 {
	if e.Latest == nil {
		return 0
	}
	return e.Latest.Dropped[reason]
}

// mended notes what has stopped.
func (e *ExporterStatus) mended(what string, counts ...any) {
	last := "minute"
	if e.interval() != time.Minute {
		last = roughly(e.interval())
	}
	e.note(what+" in the last hour, none in the last %s: mended?", append(counts, last)...)
}

func (e *ExporterStatus) interval() time.Duration {
	return time.Duration(e.IntervalSeconds * float64(time.Second))
}

// unreadable says that a fault found already is why no records come: what records of
// the last hour were like is from before.
func (e *ExporterStatus) unreadable() bool {
	return e.Latest != nil && e.Latest.Records == 0 && slices.ContainsFunc(e.Faults, func(f Fault) bool {
		return f.Kind == FaultNotFlow || f.Kind == FaultNoTemplate
	})
}
