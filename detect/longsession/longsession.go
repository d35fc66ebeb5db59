// Package longsession finds sessions that stay open for hours with a peer that is new:
// a tunnel, a shell that somebody left behind. See README.md.
package longsession

import (
	"context"
	_ "embed"
	"fmt"
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

//go:embed candidates.sql
var candidatesSQL string

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

// candidate is a pair whose sessions may have been open for long.
type candidate struct {
	pairs.Row
	ActiveMS  uint64    `ch:"active_ms"`
	Begun     uint64    `ch:"begun"`
	FirstSeen time.Time `ch:"first_seen"`
	LastSeen  time.Time `ch:"last_seen"`

	fact pairs.Fact
	open opened
}

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

// candidates are the pairs that no rule allows, with a peer that few talk with, that are
// not known for long, by the upper bound of how long their sessions were open.
func (d *Detector) candidates(ctx context.Context, h detect.History, inv *inventory.Inventory, w detect.Window) ([]*candidate, error) {
	zones, err := pairs.Zones(ctx, h, w.End)
	if err != nil {
		return nil, err
	}
	warm := false
	for _, z := range zones {
		warm = warm || w.End.Sub(z.Since) >= d.cfg.WarmUp
	}
	var rows []candidate
	err = h.Select(ctx, &rows, pairs.Columns(candidatesSQL), detect.Param("since", w.End.Add(-day)), detect.Param("start", w.Start),
		detect.Param("end", w.End), detect.Param("inside", warm), detect.Param("young", w.End.Add(-d.cfg.WarmUp)),
		detect.Param("active_ms", uint64(d.cfg.Medium.Milliseconds())*9/10))
	if err != nil {
		return nil, fmt.Errorf("look for pairs with long sessions: %w", err)
	}
	var left []*candidate
	var known []pairs.Row
	for i := range rows {
		c := &rows[i]
		c.FirstSeen, c.LastSeen = c.FirstSeen.UTC(), c.LastSeen.UTC()
		_, held := inv.UnderMaintenance(c.LastSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName})
		if held || !c.Hosts() || d.cfg.Ignore.Has(c.Protocol, c.Port) || !c.External() && !d.cfg.Inside.Has(c.Protocol, c.Port) ||
			c.Allowed(inv, c.FirstSeen, c.LastSeen) {
			continue
		}
		left, known = append(left, c), append(known, c.Row)
	}
	facts, err := pairs.Facts(ctx, h, w.End, known)
	if err != nil {
		return nil, err
	}
	var all []*candidate
	for i, c := range left {
		c.fact = facts[i]
		young := c.fact.Age(w.End) < d.cfg.WarmUp
		if c.fact.Rare(d.cfg.Prevalence) && young && (c.External() || c.fact.Warm(w.End, d.cfg.WarmUp)) {
			all = append(all, c)
		}
	}
	return all, nil
}
