// Package offhours finds who administers protected systems at hours at which it never
// does: a stolen login looks like its owner's in all but the time. See README.md.
package offhours

import (
	"context"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "offhours"

// The rules of the detector, as alerts name them.
const (
	// ruleSource: one source at an hour at which it never works.
	ruleSource = "off-hours-session"
	// ruleCrew: several of one zone at once.
	ruleCrew = "off-hours-crew"
)

// span is how much history a source must have: two weeks, so that it holds two
// weekends.
const span = 14 * 24 * time.Hour

// Detector is the offhours detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	calendar  *calendar
	inventory func() *inventory.Inventory
	book      book
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, calendar: cfg.calendar(), inventory: inv}
}

// Name returns "offhours".
func (*Detector) Name() string { return Name }

// Every returns an hour.
func (*Detector) Every() time.Duration { return time.Hour }

// Detect returns a finding for each source that opened sessions in the window, though
// by its habits it does not at such an hour, and one for several of them of one zone.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	unusual, perDay, err := d.unusual(ctx, w, h)
	if err != nil || len(unusual) == 0 {
		return nil, err
	}
	return d.findings(ctx, w, h, unusual, perDay)
}

// unusual are the sources that opened sessions in the window though by their habits they
// do not, and how many such surprises all sources together make in a day.
func (d *Detector) unusual(ctx context.Context, w detect.Window, h detect.History) (map[string]judgement, float64, error) {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	since, start, end := hourOf(w.Start.Add(-d.cfg.History)), hourOf(w.Start), hourOf(w.End)
	if err := d.book.read(ctx, d, h, since, end); err != nil {
		return nil, 0, err
	}
	s := d.calendar.slot(w.Start)
	unusual := map[string]judgement{}
	for source, p := range d.book.pages {
		past := p.between(since, start)
		if len(p.between(start, end)) == 0 || len(past) == 0 || w.Start.Sub(begin(past[0].hour)) < span {
			continue
		}
		days := past.slotDays(s)
		if days >= d.cfg.HabitDays {
			continue // most sources: it is a habit, whatever else they do
		}
		x := past.habit()
		x.slotDays = days
		if j, ok := d.cfg.judge(x, s, d.calendar.days(s.free, x.first, w.Start)); ok {
			unusual[source] = j
		}
	}
	if len(unusual) == 0 {
		return nil, 0, nil
	}
	return unusual, surprises(d.book.habits(since, start), w.Start), nil
}

// flagSYN is the TCP flag (RFC 9293 §3.1).
const flagSYN = 2

// opened tells whether the session was opened by a source of that name, as people open
// sessions: its beginning was seen, not only that it goes on. A record of a whole
// session has the flags of all its packets, SYN and ACK.
func (d *Detector) opened(s *detect.Session) (source string, ok bool) {
	if s.Protocol != flow.ProtocolTCP || !slices.Contains(d.cfg.Ports, s.Port) || !s.Established || s.LeastSampling > 1 {
		return "", false
	}
	switch s.Initiator {
	case "peer":
		return sourceName(&s.Peer, s.PeerAddr), s.PeerTried || s.FlagsIn&flagSYN != 0 || s.FlagsIn|s.FlagsOut == 0
	case "asset":
		return sourceName(&s.Asset, s.AssetAddr), s.Peer.Protected() && (s.AssetTried || s.FlagsOut&flagSYN != 0 || s.FlagsIn|s.FlagsOut == 0)
	default:
		return "", false
	}
}
