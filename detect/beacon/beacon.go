// Package beacon finds programs that call home: pairs of a protected system and a peer
// whose calls come at a steady beat, however jittered, or in every hour of a week. See
// README.md.
package beacon

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/baseline"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "beacon"

// The rules of the detector, as alerts name them.
const (
	// ruleBeat: calls at a steady beat.
	ruleBeat = "steady-beat"
	// ruleCoverage: calls in nearly every hour of a week, more evenly than chance.
	ruleCoverage = "every-hour"
)

//go:embed candidates.sql
var candidatesSQL string

// wide is how often a week is looked at instead of a day.
const wide = 6 * time.Hour

// Detector is the beacon detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "beacon".
func (*Detector) Name() string { return Name }

// Every returns an hour.
func (*Detector) Every() time.Duration { return time.Hour }

// Detect looks at the calls of the last day, at the end of each sixth hour at those of
// the last week, of pairs that called in the window (in the six hours). It returns a
// finding for each pair with a beat, and of the week for each that called evenly in
// nearly every hour.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	look := look{w: w, since: w.End.Add(-day), recent: w.Start}
	if w.End.Unix()%int64(wide.Seconds()) == 0 {
		look.since, look.recent, look.week = w.End.Add(-week), w.End.Add(-wide), true
	}
	inv := d.inventory()
	all, err := d.candidates(ctx, h, inv, &look)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if err := readCalls(ctx, h, &look, all); err != nil {
		return nil, err
	}
	return d.findings(ctx, h, inv, &look, d.judge(&look, all))
}

// look is what one window looks at.
type look struct {
	w detect.Window
	// since is where the calls begin, recent since when a pair must have called.
	since, recent time.Time
	week          bool
}

// candidate is a pair that may be a beacon but for its rhythm.
type candidate struct {
	pairs.Row
	Calls       uint64    `ch:"calls"`
	Established uint64    `ch:"established"`
	FirstSeen   time.Time `ch:"first_seen"`
	LastSeen    time.Time `ch:"last_seen"`
	Hourly      []uint64  `ch:"hourly"`

	fact  pairs.Fact
	calls []call
	verdict
}

// verdict is what is wrong with a candidate.
type verdict struct {
	rule     string
	rhythm   rhythm
	coverage coverage
	// days of calls that were compared: 1 or 7.
	days int
}

// candidates are the pairs that no rule allows, with a peer that few talk with, that are
// not known for long.
func (d *Detector) candidates(ctx context.Context, h detect.History, inv *inventory.Inventory, l *look) ([]*candidate, error) {
	zones, err := pairs.Zones(ctx, h, l.w.End)
	if err != nil {
		return nil, err
	}
	warm := false
	for _, z := range zones {
		warm = warm || l.w.End.Sub(z.Since) >= d.cfg.WarmUp
	}
	var rows []candidate
	err = h.Select(ctx, &rows, pairs.Columns(candidatesSQL), detect.Param("since", l.since), detect.Param("end", l.w.End),
		detect.Param("recent", l.recent), detect.Param("inside", warm), detect.Param("young", l.w.End.Add(-d.cfg.WarmUp)),
		detect.Param("calls", d.cfg.Calls))
	if err != nil {
		return nil, fmt.Errorf("look for pairs that call often: %w", err)
	}
	var left []*candidate
	var known []pairs.Row
	for i := range rows {
		c := &rows[i]
		c.FirstSeen, c.LastSeen = c.FirstSeen.UTC(), c.LastSeen.UTC()
		if !c.Hosts() || d.passing(c) || d.cfg.Ignore.Has(c.Protocol, c.Port) || c.Allowed(inv, c.FirstSeen, c.LastSeen) || held(inv, c) {
			continue
		}
		left, known = append(left, c), append(known, c.Row)
	}
	facts, err := pairs.Facts(ctx, h, l.w.End, known)
	if err != nil {
		return nil, err
	}
	var all []*candidate
	for i, c := range left {
		c.fact = facts[i]
		if c.fact.Rare(d.cfg.Prevalence) && d.unknown(c, l.w.End) {
			all = append(all, c)
		}
	}
	return all, nil
}

// held tells whether a maintenance window holds alerts of the asset back.
func held(inv *inventory.Inventory, c *candidate) bool {
	_, held := inv.UnderMaintenance(c.LastSeen, inventory.Subject{Zone: c.AssetZone, Asset: c.AssetName})
	return held
}

// unknown tells whether the pair is new, or may be: while a zone warms up that is not
// known, and then outside peers alone are reported.
func (d *Detector) unknown(c *candidate, end time.Time) bool {
	if !c.fact.Warm(end, d.cfg.WarmUp) {
		return c.External()
	}
	return c.fact.Age(end) < d.cfg.WarmUp
}

// judge returns the candidates with a beat, and of a week those that call evenly in
// nearly every hour. Benjamini and Hochberg's procedure over all of them bounds the share
// of false ones.
func (d *Detector) judge(l *look, all []*candidate) []*candidate {
	rare := make([]float64, len(all))
	for i, c := range all {
		if l.week && c.Calls <= longest { // of more, not all hours were read
			c.coverage = cover(times(c.calls, l.since), l.w.End, d.cfg.CoverageHours)
		}
		rare[i] = c.measure(l.w.End)
	}
	found := baseline.Discoveries(rare, d.cfg.FalseShare)
	even := make([]float64, len(all))
	for i, c := range all {
		even[i] = c.coverage.LogP
	}
	covering := baseline.Discoveries(even, d.cfg.FalseShare)
	var suspects []*candidate
	for i, c := range all {
		switch {
		case found[i] && c.rhythm.Strength() >= d.cfg.Strength:
			c.rule = ruleBeat
		case covering[i] && c.coverage.Hours >= d.cfg.CoverageHours && c.coverage.Variation <= d.cfg.CoverageVariation:
			c.rule = ruleCoverage
		default:
			continue
		}
		suspects = append(suspects, c)
	}
	return suspects
}

// measure takes the better of the calls of the last day and of all of them, and returns
// the natural logarithm of how rare that is.
func (c *candidate) measure(end time.Time) float64 {
	spans := []int{1}
	if len(c.calls) > 0 && c.calls[0].at.Before(end.Add(-day)) {
		spans = append(spans, 7)
	}
	best := 0.0
	for _, days := range spans {
		r, ok := measure(times(c.calls, end.Add(-time.Duration(days)*day)))
		if !ok {
			continue
		}
		if p := min(0, r.LogP+math.Log(float64(len(spans)))); c.days == 0 || p < best {
			best, c.rhythm, c.days = p, r, days
		}
	}
	return best
}
