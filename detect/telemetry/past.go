package telemetry

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"time"

	"tapwatch/detect"
)

// ahead is how much more than the window is read at once where more is complete.
const ahead = 6 * time.Hour

// past is what was read of the stored past, which does not change: a cache, so that a
// minute costs the rows of a minute. What is asked at a moment depends only on what
// was received before; whoever reads it must leave out what is later.
type past struct {
	of detect.History

	heardTo     track
	heard       grid[netip.Addr, *heardHour]
	known       map[netip.Addr]bool // who is in heard
	heardMinute map[int64]uint64    // the minutes of each hour in which any was heard

	exportsTo     track
	exportHours   grid[netip.Addr, []export]
	exportMinutes grid[netip.Addr, []export]

	durationsTo track
	longHours   grid[netip.Addr, *spans]
	longSlots   grid[netip.Addr, *spans]

	healthTo      track
	healthHours   grid[netip.Addr, health]
	healthMinutes grid[netip.Addr, health]
	wrote         map[int64]uint64 // the minutes of each hour in which a collector wrote

	devicesTo track
	devices   map[deviceLog]paths

	interfacesTo track
	interfaces   map[netip.Addr]map[uint32]*series
}

func newPast(of detect.History) *past {
	return &past{
		of:    of,
		heard: grid[netip.Addr, *heardHour]{}, heardMinute: map[int64]uint64{}, known: map[netip.Addr]bool{},
		exportHours: grid[netip.Addr, []export]{}, exportMinutes: grid[netip.Addr, []export]{},
		longHours: grid[netip.Addr, *spans]{}, longSlots: grid[netip.Addr, *spans]{},
		healthHours: grid[netip.Addr, health]{}, healthMinutes: grid[netip.Addr, health]{}, wrote: map[int64]uint64{},
		devices: map[deviceLog]paths{}, interfaces: map[netip.Addr]map[uint32]*series{},
	}
}

// same tells whether two histories are one.
func same(a, b detect.History) bool {
	return a != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// track is how far one kind of thing was read: by the hour from one moment on, in
// detail from fine on.
type track struct{ from, fine, upto time.Time }

// detail is how long the past is kept in detail, in whole hours before the present one.
const detail = 2 * time.Hour

// span is what is to be read: [from, to), by the hour until fine. fresh says that
// what was read before is of no use.
type span struct {
	from, fine, to time.Time
	fresh          bool
}

// plan says what must be read to know the time back before the hour of now.
func (t *track) plan(now, complete time.Time, back time.Duration) (s span, needed bool) {
	hour := now.Truncate(time.Hour)
	need := hour.Add(-back)
	s = span{from: t.upto, fine: t.fine, to: now}
	if t.upto.IsZero() || need.Before(t.from) || need.After(t.upto) || hour.Add(-time.Hour).Before(t.fine) {
		s = span{from: need.Add(-time.Hour), fine: hour.Add(-detail), to: now, fresh: true}
	}
	if complete.After(now) {
		if s.to = now.Add(ahead).Truncate(time.Hour); complete.Before(s.to) {
			s.to = complete.Truncate(time.Minute)
		}
	}
	return s, now.After(t.upto) || s.fresh
}

// done notes what was read, and gives the moments before which the past may be
// forgotten.
func (t *track) done(s span, now time.Time, back time.Duration) (whole, fine time.Time) {
	if s.fresh {
		*t = track{from: s.from, fine: s.fine}
	}
	t.upto = s.to
	hour := now.Truncate(time.Hour)
	if whole = hour.Add(-back - time.Hour); whole.After(t.from) {
		t.from = whole
	}
	if fine = hour.Add(-detail); fine.After(t.fine) {
		t.fine = fine
	}
	return t.from, t.fine
}

// read reads the rows of a query in the span, if there is something to be read. clear
// forgets what was read before, add takes a row, trim forgets what is too old.
func read[R any](ctx context.Context, p *past, t *track, now, complete time.Time, back time.Duration, what, query string,
	clear func(), add func(row *R, fine time.Time), trim func(whole, fine time.Time)) error {
	s, needed := t.plan(now, complete, back)
	if !needed {
		return nil
	}
	var rows []R
	args := []any{detect.Param("since", s.from), detect.Param("until", s.to)}
	if err := p.of.Select(ctx, &rows, query, append(args, detect.Param("fine", s.fine))...); err != nil {
		return fmt.Errorf("read %s from %s to %s: %w", what, s.from.Format(time.RFC3339), s.to.Format(time.RFC3339), err)
	}
	if s.fresh {
		clear()
	}
	for i := range rows {
		add(&rows[i], s.fine)
	}
	trim(t.done(s, now, back))
	return nil
}
