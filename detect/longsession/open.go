package longsession

import (
	"slices"
	"time"

	"tapwatch/detect"
)

// opened is for how long sessions of a pair were open.
type opened struct {
	// active is the time of the last day in which one of them was.
	active time.Duration
	// began is when the earliest of those that reach into the last day began; it may be
	// longer ago where it lies at the beginning of what was read.
	began time.Time
	// longest is the longest one, as far as read; sessions is how many count.
	longest  time.Duration
	sessions int
}

type span struct{ start, end time.Time }

// open adds up the time in which a session was open, each stitched of its parts: those
// of one five-tuple that follow one another within the gap, as an active timeout cuts
// them. Sessions shorter than a piece do not count.
func (d *Detector) open(parts []detect.Session, end time.Time) opened {
	type ports struct{ asset, peer uint16 }
	byPorts := map[ports][]span{}
	for i := range parts {
		p := &parts[i]
		k := ports{p.AssetPort, p.PeerPort}
		byPorts[k] = append(byPorts[k], span{p.FlowStart, p.FlowEnd})
	}
	var long []span
	var o opened
	for _, spans := range byPorts {
		for _, s := range union(spans, d.cfg.Gap) {
			length := s.end.Sub(s.start)
			if length < d.cfg.Piece || s.end.Before(end.Add(-day)) {
				continue
			}
			o.sessions++
			o.longest = max(o.longest, length)
			if o.began.IsZero() || s.start.Before(o.began) {
				o.began = s.start
			}
			long = append(long, s)
		}
	}
	for _, s := range union(long, 0) {
		if s.start.Before(end.Add(-day)) {
			s.start = end.Add(-day)
		}
		o.active += max(0, s.end.Sub(s.start))
	}
	return o
}

// union joins spans that overlap or are at most the gap apart.
func union(spans []span, gap time.Duration) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.start.Compare(b.start) })
	var all []span
	for _, s := range spans {
		if n := len(all); n > 0 && s.start.Sub(all[n-1].end) <= gap {
			if s.end.After(all[n-1].end) {
				all[n-1].end = s.end
			}
			continue
		}
		all = append(all, s)
	}
	return all
}
