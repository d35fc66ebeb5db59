// Package offhours finds who administers protected systems at hours at which it never
// does: a stolen login looks like its owner's in all but the time. See README.md.
package offhours

import (
	"context"
	_ "embed"
	"fmt"
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

//go:embed now.sql
var nowSQL string

//go:embed slot.sql
var slotSQL string

//go:embed habits.sql
var habitsSQL string

// Detector is the offhours detector. Safe for concurrent use.
type Detector struct {
	cfg       Config
	calendar  *calendar
	inventory func() *inventory.Inventory
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
	sources, err := d.active(ctx, w, h)
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	s := d.calendar.slot(w.Start)
	days, err := d.slotDays(ctx, w, h, s, sources)
	if err != nil {
		return nil, err
	}
	sources = slices.DeleteFunc(sources, func(source string) bool { return days[source] >= d.cfg.HabitDays })
	if len(sources) == 0 {
		return nil, nil
	}
	habits, err := d.habits(ctx, w.Start, h, sources)
	if err != nil {
		return nil, err
	}
	unusual := map[string]judgement{}
	for _, source := range sources {
		x := habits[source]
		if x == nil || w.Start.Sub(x.first) < span {
			continue
		}
		x.slotDays = days[source]
		if j, ok := d.cfg.judge(x, s, d.calendar.days(s.free, x.first, w.Start)); ok {
			unusual[source] = j
		}
	}
	if len(unusual) == 0 {
		return nil, nil
	}
	everybody, err := d.habits(ctx, w.Start, h, nil)
	if err != nil {
		return nil, err
	}
	return d.findings(ctx, w, h, unusual, surprises(everybody, w.Start))
}

// active are the sources of the window's sessions.
func (d *Detector) active(ctx context.Context, w detect.Window, h detect.History) ([]string, error) {
	var rows []struct {
		Source string `ch:"source"`
	}
	err := h.Select(ctx, &rows, nowSQL, detect.Param("start", w.Start), detect.Param("end", w.End), detect.Param("ports", d.cfg.Ports))
	if err != nil {
		return nil, fmt.Errorf("read who opened sessions: %w", err)
	}
	sources := make([]string, len(rows))
	for i, r := range rows {
		sources[i] = r.Source
	}
	return sources, nil
}

// slotDays is on how many days of the history the sources used the slot or an hour
// beside it. It reads an eighth of the history or less, and most sources need no more.
func (d *Detector) slotDays(ctx context.Context, w detect.Window, h detect.History, s slot, sources []string) (map[string]uint64, error) {
	var hours []uint32
	for _, t := range d.calendar.near(s, w.Start.Add(-d.cfg.History), w.Start) {
		hours = append(hours, uint32(t.Unix()))
	}
	var rows []struct {
		Source string `ch:"source"`
		Days   uint64 `ch:"days"`
	}
	err := h.Select(ctx, &rows, slotSQL, detect.Param("hours", hours), detect.Param("sources", sources),
		detect.Param("ports", d.cfg.Ports), detect.Param("zone", d.cfg.TimeZone))
	if err != nil {
		return nil, fmt.Errorf("read who used these hours before: %w", err)
	}
	days := make(map[string]uint64, len(rows))
	for _, r := range rows {
		days[r.Source] = r.Days
	}
	return days, nil
}

// habits are when the sources opened sessions before end, of all sources where none
// are named.
func (d *Detector) habits(ctx context.Context, end time.Time, h detect.History, sources []string) (map[string]*habit, error) {
	var rows []struct {
		Source   string    `ch:"source"`
		Clock    uint8     `ch:"clock"`
		Free     bool      `ch:"is_free"`
		Sessions uint64    `ch:"sessions"`
		Dates    []uint16  `ch:"dates"`
		First    time.Time `ch:"first"`
	}
	err := h.Select(ctx, &rows, habitsSQL, detect.Param("since", end.Add(-d.cfg.History)), detect.Param("end", end),
		detect.Param("sources", sources), detect.Param("all", sources == nil), detect.Param("ports", d.cfg.Ports),
		detect.Param("zone", d.cfg.TimeZone), detect.Param("holidays", d.cfg.Holidays))
	if err != nil {
		return nil, fmt.Errorf("read the habits of %d sources: %w", len(sources), err)
	}
	habits, dates := map[string]*habit{}, map[string]map[uint16]bool{}
	for _, r := range rows {
		x := habits[r.Source]
		if x == nil {
			x = &habit{first: r.First.UTC(), sessions: map[slot]uint64{}}
			habits[r.Source], dates[r.Source] = x, map[uint16]bool{}
		}
		x.sessions[slot{int(r.Clock), r.Free}] += r.Sessions
		x.total += r.Sessions
		if r.First.Before(x.first) {
			x.first = r.First.UTC()
		}
		for _, date := range r.Dates {
			dates[r.Source][date] = true
		}
		x.activeDays = uint64(len(dates[r.Source]))
	}
	return habits, nil
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
