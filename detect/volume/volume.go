// Package volume finds systems that send out far more than they usually do at that
// time of the week (D12), and those that turn from receivers into senders (D13). See
// README.md.
package volume

import (
	"context"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/ledger"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "volume"

// The rules of the detector, as alerts name them.
const (
	// ruleUnusual: far more than usual left a system.
	ruleUnusual = "unusual-volume"
	// ruleAllowed: the same, along a way that the inventory allows.
	ruleAllowed = "unusual-allowed-volume"
	// ruleRatio: a system that mostly received sends.
	ruleRatio = "direction-shift"
)

// every is the length of the windows.
const every = 5 * time.Minute

// Detector is the volume detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
	book      book
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "volume".
func (*Detector) Name() string { return Name }

// Every returns five minutes.
func (*Detector) Every() time.Duration { return every }

// Detect judges the window together with the two before it; where it begins at a full
// hour also the hour before, which pair_hours has by then; where it begins at midnight
// (UTC) also the day before. Of one system and rule it returns one finding, about the
// longest span.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	s := &scene{Detector: d, h: h, w: w, inv: d.inventory()}
	s.law = ledger.NewLaw(s.inv)
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	var findings []alert.Finding
	for _, part := range []struct {
		due  bool
		find func(context.Context) ([]alert.Finding, error)
	}{
		{w.Start.Truncate(day).Equal(w.Start) && d.cfg.DayBytes > 0, s.ratios},
		{w.Start.Truncate(time.Hour).Equal(w.Start), s.hour},
		{true, s.burst},
	} {
		if !part.due {
			continue
		}
		found, err := part.find(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !slices.ContainsFunc(findings, func(x alert.Finding) bool { return x.ID == f.ID }) {
				findings = append(findings, f)
			}
		}
	}
	return findings, nil
}

// scene is one window being judged.
type scene struct {
	*Detector
	h   detect.History
	w   detect.Window
	inv *inventory.Inventory
	law *ledger.Law
	// since is how far back what is usual is read.
	since time.Time
}

// hour judges the last full hour before the window. To whom it went is read only of
// systems whose amounts are unusual.
func (s *scene) hour(ctx context.Context) ([]alert.Finding, error) {
	c := newCase(time.Hour, s.w.Start.Add(-time.Hour))
	if err := s.read(ctx, c, s.w.Start); err != nil {
		return nil, err
	}
	for _, k := range s.book.senders(c.last, float64(s.cfg.Bytes)/2) {
		for _, at := range c.windows() {
			page := s.book.pages[k]
			c.series(k).add(at, page.sent(at, false), false)
			c.series(k).add(at, page.sent(at, true), true)
		}
		_, free := s.hits(c, k, false, nil)
		_, allowed := s.hits(c, k, true, nil)
		if free || allowed {
			c.keys = append(c.keys, k)
		}
	}
	if len(c.keys) == 0 {
		return nil, nil
	}
	var err error
	c.moves, err = s.moves(ctx, query{since: c.windows()[0], end: s.w.Start, step: time.Hour, keys: c.keys, least: s.cfg.Bytes / 100})
	if err != nil {
		return nil, err
	}
	return s.unusual(ctx, c)
}

// read makes the book stand for the hours up to end, and for what is usual before the
// last window of the case.
func (s *scene) read(ctx context.Context, c *kase, end time.Time) error {
	s.since = c.last.Truncate(time.Hour).Add(-s.cfg.History)
	return s.book.read(ctx, s, s.since, end)
}

// burst judges the window and the two before it. Each is held against what is usual in
// a whole hour, which is the more cautious.
func (s *scene) burst(ctx context.Context) ([]alert.Finding, error) {
	c := newCase(every, s.w.Start)
	sessions, err := s.h.Sessions(ctx, s.w)
	if err != nil {
		return nil, err
	}
	if c.keys = s.busy(sessions); len(c.keys) == 0 {
		return nil, nil
	}
	before, err := s.h.Sessions(ctx, detect.Window{Start: c.windows()[0], End: s.w.Start})
	if err != nil {
		return nil, err
	}
	protected := s.protected()
	for _, all := range [][]detect.Session{before, sessions} {
		for i := range all {
			for _, m := range ledger.Moves(&all[i]) {
				if m.Sent == 0 || !slices.Contains(c.keys, m.From()) || !m.Leaves(protected) {
					continue
				}
				c.moves = append(c.moves, m)
				c.series(m.From()).add(m.At.Truncate(every), float64(m.Sent), s.law.Rule(&m) != "")
			}
		}
	}
	return s.unusual(ctx, c)
}

// busy are the senders of half of the least amount.
func (s *scene) busy(sessions []detect.Session) []ledger.Key {
	sums := map[ledger.Key]uint64{}
	protected := s.protected()
	for i := range sessions {
		for _, m := range ledger.Moves(&sessions[i]) {
			if m.Sent > 0 && m.Leaves(protected) {
				sums[m.From()] += m.Sent
			}
		}
	}
	var keys []ledger.Key
	for k, sum := range sums {
		if sum >= s.cfg.Bytes/2 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, ledger.Key.Compare)
	return keys
}

func (s *scene) protected() map[string]bool {
	names := map[string]bool{}
	for _, name := range detect.ProtectedZones(s.inv) {
		names[name] = true
	}
	return names
}
