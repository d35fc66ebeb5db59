// Package longsession finds sessions that stay open for hours with a peer that is new:
// a tunnel, a shell that somebody left behind. See README.md.
package longsession

import (
	"context"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "longsession"

// rule is the detector's rule, as alerts name it.
const rule = "long-session"

// lookback is how far before a window's end sessions are read, to tell since when they
// have been open.
const lookback = 2 * day

// Detector is the long-session detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "longsession".
func (*Detector) Name() string { return Name }

// Every returns an hour.
func (*Detector) Every() time.Duration { return time.Hour }

// Detect returns a finding for each pair that was active in the window and that had
// sessions open for long enough in the day before its end.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	inv := d.inventory()
	all, err := d.candidates(ctx, h, inv, w)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	keys := make([]pairs.Key, len(all))
	for i, c := range all {
		keys[i] = c.Key()
	}
	sessions, err := pairs.Sessions(ctx, h, detect.Window{Start: w.End.Add(-lookback), End: w.End}, keys)
	if err != nil {
		return nil, err
	}
	byKey := map[pairs.Key][]detect.Session{}
	for _, s := range sessions {
		byKey[pairs.Of(&s)] = append(byKey[pairs.Of(&s)], s)
	}
	var findings []alert.Finding
	for i, c := range all {
		list := byKey[keys[i]]
		c.open = d.open(list, w.End)
		if c.open.active < d.cfg.Medium {
			continue
		}
		talk := pairs.Largest(since(list, w.Start))[keys[i]]
		if talk.Flows == 0 {
			continue // it ended before the window
		}
		findings = append(findings, d.finding(c, &talk, w, inv))
	}
	return findings, nil
}

// since are the sessions of the panes from a moment on; they are in order.
func since(sessions []detect.Session, at time.Time) []detect.Session {
	for i := range sessions {
		if !sessions[i].Pane.Before(at) {
			return sessions[i:]
		}
	}
	return nil
}
