package telemetry

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect"
)

// Ready says how far each exporter's history is from what the rules need, and of what
// nothing is said: exporters that sample so much, or are heard so seldom, that a rule
// does not hold.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := at.Truncate(every).UTC()
	p := newPast(h)
	if err := d.read(ctx, p, now); err != nil {
		return nil, err
	}
	s := &scene{past: p, h: h, now: now, inv: d.inventory()}
	addrs := slices.SortedFunc(maps.Keys(p.known), netip.Addr.Compare)
	var ready []detect.Readiness
	for _, addr := range addrs {
		ready = append(ready, d.readyExporter(s, addr)...)
	}
	return append(ready, d.readyLogs(s)), nil
}

// readyExporter says what is missing of one exporter; nothing where nothing is.
func (d *Detector) readyExporter(s *scene, addr netip.Addr) (missing []detect.Readiness) {
	last, ok := s.lastSlot(addr, s.now, s.now.Add(-d.cfg.History))
	if !ok {
		return nil
	}
	name := s.router(addr)
	r := s.rhythm(addr, last, d.cfg.History)
	if r.Age < d.cfg.MinAge {
		missing = append(missing, detect.Readiness{Detector: Name, What: "silence of " + name, Have: r.Age.Minutes(), Need: d.cfg.MinAge.Minutes(), Unit: "minutes",
			Text: fmt.Sprintf("Silence of %s is not reported until it was heard for %s.", name, detect.Duration(d.cfg.MinAge))})
	} else if r.Buckets < d.cfg.MinBuckets {
		missing = append(missing, detect.Readiness{Detector: Name, What: "silence of " + name, Have: float64(r.Buckets), Need: float64(d.cfg.MinBuckets), Unit: "intervals of ten seconds",
			Text: fmt.Sprintf("Silence of %s is not reported: it is heard too seldom.", name)})
	} else if limit := d.limit(r); limit > time.Hour {
		missing = append(missing, detect.Readiness{Detector: Name, What: "silence of " + name, Have: limit.Minutes(), Need: time.Hour.Minutes(), Unit: "minutes",
			Text: fmt.Sprintf("Silence of %s is reported only after %s: it pauses that long by itself.", name, detect.Duration(limit))})
	}
	habit := s.habit(addr, minuteOf(s.now), d.cfg.History)
	if dominant(habit) == 0 {
		missing = append(missing, detect.Readiness{Detector: Name, What: "sampling of " + name, Need: 1, Unit: "announcements",
			Text: fmt.Sprintf("A changed sampling interval of %s is not seen: it does not say its interval. Enter it in the inventory, so that amounts are right.", name)})
	}
	if one := sum(habit); one.With[fieldTimes] == 0 {
		missing = append(missing, detect.Readiness{Detector: Name, What: "active timeout of " + name, Need: cutHabit, Unit: "records",
			Text: fmt.Sprintf("A changed active timeout of %s is not seen: its records do not say when flows began and ended.", name)})
	}
	if numbered := s.numbered(addr); !numbered {
		missing = append(missing, detect.Readiness{Detector: Name, What: "loss of " + name, Need: 1, Unit: "hours",
			Text: fmt.Sprintf("Loss of what %s exports is not told: no counts of a collector about it are stored for an hour yet.", name)})
	}
	return missing
}

// numbered tells whether the collector counted the exporter for an hour.
func (s *scene) numbered(addr netip.Addr) bool {
	for h := hourOf(s.now) - 1; h > hourOf(s.now)-24; h-- {
		if s.healthHours[h][addr].Datagrams > 0 {
			return true
		}
	}
	return false
}

// readyLogs says of how many systems logs are watched.
func (d *Detector) readyLogs(s *scene) detect.Readiness {
	now := minuteOf(s.now)
	var ready, known float64
	for _, key := range s.logs() {
		ways := s.devices[key]
		var uses []use
		for way, one := range ways {
			if s.known(way.server) {
				uses = append(uses, use{one, way.exporter})
			}
		}
		if len(uses) == 0 {
			continue
		}
		known++
		// Of a day, as it will be told at the latest.
		if n, days := d.expected(s.past, uses, now-minutesOfDay, now); n >= d.cfg.Expected && days >= alikeDays {
			ready++
		}
	}
	return detect.Readiness{Detector: Name, What: "logs of systems", Have: ready, Need: known, Unit: "logs",
		Text: fmt.Sprintf("Of %.0f kinds of logs of systems, %.0f are seen often enough, for three days and more, that their silence is reported within a day; of the others (few flows, or much sampling) it is not.", known, ready)}
}
