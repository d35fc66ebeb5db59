// Package telemetry finds routers that stop exporting flows: an intruder who
// switches the export off is not seen by any other detector. See README.md.
package telemetry

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
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

//go:embed rhythm.sql
var rhythmSQL string

//go:embed life.sql
var lifeSQL string

//go:embed watched.sql
var watchedSQL string

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

// rhythm is how an exporter sent before it was last heard.
type rhythm struct {
	Buckets    uint64 `ch:"buckets"`
	GapSeconds uint64 `ch:"gap_seconds"`
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
// they were last heard, the latest first.
func (d *Detector) judge(ctx context.Context, h detect.History, s *scene, quiet []exporter) ([]alert.Finding, error) {
	var findings []alert.Finding
	judgedAll := false
	for _, x := range quiet {
		all := s.newest.Before(x.Last.Add(together))
		if all && judgedAll {
			continue // the latest of them stands for all
		}
		if s.life.silence(x.Last, s.now) < d.cfg.Silence {
			continue
		}
		r, err := d.rhythm(ctx, h, x)
		if err != nil {
			return nil, err
		}
		if r.Buckets < d.cfg.MinBuckets {
			continue
		}
		judgedAll = judgedAll || all
		if all && s.newest.After(s.now.Add(-d.cfg.Silence)) || !d.due(s, x, r) {
			continue
		}
		f, err := d.finding(ctx, h, s, x, r, all)
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
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

func (d *Detector) rhythm(ctx context.Context, h detect.History, x exporter) (rhythm, error) {
	var rows []rhythm
	err := h.Select(ctx, &rows, rhythmSQL, detect.Param("since", x.Last.Add(-d.cfg.History)),
		detect.Param("last", x.Last), detect.Param("exporter", x.Addr.String()))
	if err != nil {
		return rhythm{}, fmt.Errorf("read the habits of exporter %s: %w", x.Addr, err)
	}
	if len(rows) == 0 {
		return rhythm{}, nil
	}
	return rows[0], nil
}

// watched is how many flows of protected systems the exporter reported before it
// fell silent.
func (d *Detector) watched(ctx context.Context, h detect.History, x exporter) (uint64, error) {
	var rows []struct {
		Flows uint64 `ch:"flows"`
	}
	err := h.Select(ctx, &rows, watchedSQL, detect.Param("since", x.Last.Add(-d.cfg.History)),
		detect.Param("last", x.Last), detect.Param("exporter", x.Addr.String()))
	if err != nil {
		return 0, fmt.Errorf("count the protected flows of exporter %s: %w", x.Addr, err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	return rows[0].Flows, nil
}
