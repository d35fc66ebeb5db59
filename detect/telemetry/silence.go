package telemetry

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// pause is how long the collector may give no sign of life without counting as
// down: its counts come every minute.
const pause = 3 * time.Minute

// rhythm is how an exporter sent before it was last heard.
type rhythm struct {
	Buckets uint64        // in how many ten seconds of the history
	Gap     time.Duration // the pause that 99 of 100 of its own do not exceed
	Age     time.Duration // from when it was first heard in the history
}

// rhythm is that of an exporter last heard in the ten seconds last, over the history
// before. The quantile is the exact one of ClickHouse.
func (p *past) rhythm(addr netip.Addr, last int64, history time.Duration) (r rhythm) {
	before, first := int64(-1), int64(-1)
	var gaps []int64
	p.between(addr, last-int64(history/slot), last+1, func(at int64) {
		if before >= 0 {
			gaps = append(gaps, at-before)
		} else {
			first = at
		}
		before = at
		r.Buckets++
	})
	if first >= 0 {
		r.Age = time.Duration(last-first) * slot
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		r.Gap = time.Duration(gaps[min(len(gaps)*99/100, len(gaps)-1)]) * slot
	}
	return r
}

// silence is how long, at the given time, an exporter last heard at last had been
// silent while the collector listened without a break. The time that the collector
// was down does not count, nor what is not known yet.
func (p *past) silence(last, at time.Time, history time.Duration) time.Duration {
	since, until := p.awake(at, history)
	if since.Before(last) {
		since = last
	}
	return max(0, until.Sub(since))
}

// awake bounds the last unbroken time in which the collector was alive, as it was
// known at the given time: minutes in which it stored a flow of anybody, or wrote its
// counts. Zero times if there is none in the history.
func (p *past) awake(at time.Time, history time.Duration) (since, until time.Time) {
	end, settled := minuteOf(at), minuteOf(at.Add(-settle))
	for m := end - 1; m >= max(0, minuteOf(at.Add(-history))); m-- { // no minute is before 1970
		h, bit := m/60, uint64(1)<<(m%60)
		if p.heardMinute[h]&bit == 0 && (m >= settled || p.wrote[h]&bit == 0) {
			continue
		}
		switch {
		case until.IsZero():
			until = atMinute(m + 1)
		case since.Sub(atMinute(m+1)) > pause:
			return since, until
		}
		since = atMinute(m)
	}
	return since, until
}

// exporter is when an exporter was last heard.
type exporter struct {
	Addr netip.Addr
	Last time.Time
	slot int64 // the ten seconds of Last
}

// quiet are the exporters not heard for silence and more at the given time, the latest
// first, how many were heard in the history, and the ten seconds in which the latest
// of all was.
func (p *past) quiet(now time.Time, silence, history time.Duration) (quiet []exporter, count int, newest int64) {
	since := now.Add(-history)
	for addr := range p.known {
		at, ok := p.lastSlot(addr, now, since)
		if !ok {
			continue
		}
		count++
		newest = max(newest, at)
		if now.Unix()-at*10 < int64(silence/time.Second) {
			continue
		}
		if last := p.exactly(addr, at); now.Sub(last) >= silence {
			quiet = append(quiet, exporter{Addr: addr, Last: last, slot: at})
		}
	}
	slices.SortFunc(quiet, func(a, b exporter) int { return cmp.Or(b.Last.Compare(a.Last), a.Addr.Compare(b.Addr)) })
	return quiet, count, newest
}
