// Package telemetry finds routers that stop exporting flows: an intruder who
// switches the export off is not seen by any other detector. See README.md.
package telemetry

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// Name is the detector's name in the registry.
const Name = "telemetry"

// The rules of the detector, as alerts name them.
const (
	// ruleSilent: one exporter fell silent while others were heard.
	ruleSilent = "exporter-silent"
	// ruleAllSilent: none is heard any more, and the collector is alive.
	ruleAllSilent = "all-exporters-silent"
)

const (
	// every is how often silence is judged, whatever the windows are.
	every = time.Minute
	// settle is how much later than flows the collector's counts may be stored.
	settle = 2 * time.Minute
	// together is how far apart exporters may fall silent and count as one outage.
	together = time.Minute
)

//go:embed exporters.sql
var exportersSQL string

//go:embed life.sql
var lifeSQL string

// Detector is the telemetry detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	inventory func() *inventory.Inventory
}

// New returns the detector; inv gives the inventory in force. cfg is valid.
func New(cfg Config, inv func() *inventory.Inventory) *Detector {
	return &Detector{cfg: cfg, inventory: inv}
}

// Name returns "telemetry".
func (*Detector) Name() string { return Name }

// exporter is when an exporter was last heard.
type exporter struct {
	Addr netip.Addr `ch:"exporter"`
	Last time.Time  `ch:"last"`
}

// Detect judges once a minute of stream time which exporters have fallen silent.
// It returns a finding when an outage begins to count, and at every Config.Repeat
// while it lasts.
func (d *Detector) Detect(ctx context.Context, w detect.Window, h detect.History) ([]alert.Finding, error) {
	now, before := w.End.Truncate(every), w.Start.Truncate(every)
	if !now.After(w.Start) {
		return nil, nil
	}
	exporters, err := d.exporters(ctx, h, now)
	if err != nil {
		return nil, err
	}
	quiet := candidates(exporters, now, d.cfg.Silence)
	if len(quiet) == 0 {
		return nil, nil
	}
	life, err := d.life(ctx, h, now)
	if err != nil {
		return nil, err
	}
	s := scene{w: w, now: now, before: before, life: life, newest: newest(exporters), count: len(exporters), inv: d.inventory()}
	return d.judge(ctx, h, &s, quiet)
}

// scene is what all silent exporters of a window are judged against.
type scene struct {
	w           detect.Window
	now, before time.Time
	life        life
	// newest is when any exporter was last heard, count how many there are.
	newest time.Time
	count  int
	inv    *inventory.Inventory
}

// judge returns the findings about the quiet exporters, which are ordered by when
// they were last heard, the latest first. However many there are, it asks twice.
func (d *Detector) judge(ctx context.Context, h detect.History, s *scene, quiet []exporter) ([]alert.Finding, error) {
	quiet = slices.DeleteFunc(quiet, func(x exporter) bool { return s.life.silence(x.Last, s.now) < d.cfg.Silence })
	rhythms, err := d.rhythms(ctx, h, quiet)
	if err != nil {
		return nil, err
	}
	due, all := d.outages(s, quiet, rhythms)
	watched, err := d.watched(ctx, h, due)
	if err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for _, x := range due {
		findings = append(findings, d.finding(s, x, rhythms[x.Addr], watched[x.Addr], x.Addr == all))
	}
	return findings, nil
}

// outages are those of the quiet exporters whose silence is to be reported now. The
// exporter all, if it is valid, is one of them that stands for every exporter.
func (d *Detector) outages(s *scene, quiet []exporter, rhythms map[netip.Addr]rhythm) (due []exporter, all netip.Addr) {
	judgedAll := false
	for _, x := range quiet {
		r, regular := rhythms[x.Addr]
		standsForAll := s.newest.Before(x.Last.Add(together))
		if !regular || standsForAll && judgedAll {
			continue // the latest of them stands for all
		}
		judgedAll = judgedAll || standsForAll
		if standsForAll && s.newest.After(s.now.Add(-d.cfg.Silence)) || !d.due(s, x, r) {
			continue
		}
		if standsForAll {
			all = x.Addr
		}
		due = append(due, x)
	}
	return due, all
}

// limit is how long the exporter may be silent, by its own habits.
func (d *Detector) limit(r rhythm) time.Duration {
	return max(d.cfg.Silence, time.Duration(d.cfg.Gaps*float64(r.GapSeconds)*float64(time.Second)))
}

// due tells whether the exporter's silence is to be reported now: when it passes
// the limit, at every repetition, and when maintenance no longer holds it back.
func (d *Detector) due(s *scene, x exporter, r rhythm) bool {
	limit := d.limit(r)
	over, overBefore := s.life.silence(x.Last, s.now)-limit, s.life.silence(x.Last, s.before)-limit
	held, heldBefore := s.held(x.Addr, s.now), s.held(x.Addr, s.before)
	switch {
	case over < 0 || held:
		return false
	case overBefore < 0 || heldBefore:
		return true
	default:
		return over/d.cfg.Repeat > overBefore/d.cfg.Repeat
	}
}

// held tells whether a maintenance window holds alerts about the exporter back.
func (s *scene) held(addr netip.Addr, at time.Time) bool {
	_, held := s.inv.UnderMaintenance(at, inventory.Subject{Exporter: addr})
	return held
}

func (d *Detector) exporters(ctx context.Context, h detect.History, now time.Time) ([]exporter, error) {
	var all []exporter
	err := h.Select(ctx, &all, exportersSQL, detect.Param("since", now.Add(-d.cfg.History)), detect.Param("end", now))
	if err != nil {
		return nil, fmt.Errorf("read when exporters were heard: %w", err)
	}
	for i := range all {
		all[i].Addr, all[i].Last = all[i].Addr.Unmap(), all[i].Last.UTC()
	}
	return all, nil
}

func (d *Detector) life(ctx context.Context, h detect.History, now time.Time) (life, error) {
	var minutes life
	err := h.Select(ctx, &minutes, lifeSQL, detect.Param("since", now.Add(-d.cfg.History)),
		detect.Param("end", now), detect.Param("settled", now.Add(-settle)))
	if err != nil {
		return nil, fmt.Errorf("read when the collector was alive: %w", err)
	}
	return minutes, nil
}
