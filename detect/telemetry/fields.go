package telemetry

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

// fieldTexts name the fields, and say what is not seen without them.
var fieldTexts = [fieldCount]struct {
	name, blind string
	severity    alert.Severity
}{
	fieldFlags:     {"TCP flags", "established sessions are not told from scans", alert.Medium},
	fieldPorts:     {"ports", "services are not told apart", alert.High},
	fieldTimes:     {"start and end times", "beacons and long sessions are not seen", alert.Medium},
	fieldInIf:      {"ingress interfaces", "spoofed sources are not seen", alert.Medium},
	fieldOutIf:     {"egress interfaces", "mirrors of an interface are hardly seen", alert.Low},
	fieldDirection: {"directions", "what is counted on both sides of the router is not told apart", alert.Low},
	fieldNextHop:   {"next hops", "changed paths are not seen", alert.Low},
}

// stripped finds fields that nearly all records of an exporter carried and that none
// does any more.
func (d *Detector) stripped(s *scene, addr netip.Addr, now int64) (f alert.Finding, is bool) {
	base, gone := s.lacking(addr, now)
	_, before := s.lacking(addr, now-1)
	if !slices.ContainsFunc(gone, func(field int) bool { return !slices.Contains(before, field) }) {
		return f, false // nothing, or it was told before
	}
	habit := sum(s.habit(addr, now-fieldMinutes, d.cfg.History))
	gone = slices.DeleteFunc(gone, func(field int) bool {
		return habit.Base[field] < 2*fieldRecords || float64(habit.With[field]) < fieldUsual*float64(habit.Base[field])
	})
	if !slices.ContainsFunc(gone, func(field int) bool { return !slices.Contains(before, field) }) {
		return f, false
	}
	since := s.lastWith(addr, now, gone[0])
	f = s.finding(ruleFields, addr, since)
	router := f.Exporters[0]
	var names, blind []string
	for _, field := range gone {
		t := fieldTexts[field]
		names, blind = append(names, t.name), append(blind, t.blind)
		f.Severity = max(f.Severity, t.severity)
		usual := float64(habit.With[field]) / float64(habit.Base[field])
		f.Reasons = append(f.Reasons, fmt.Sprintf("none of the last %d records that could say %s does; in the %s before %s of %d did",
			base[field], t.name, detect.Duration(d.cfg.History), percent(usual), habit.Base[field]))
		f.Measures = append(f.Measures, alert.Measure{Name: "records with " + t.name, Expected: usual * float64(base[field]), Unit: "flows"})
	}
	list := strings.Join(names, ", ")
	f.ID = alert.Identity(Name, ruleFields, addr.String(), list)
	f.Confidence = 0.95
	f.Title = fmt.Sprintf("The flow records of %s no longer say %s", router, list)
	f.Summary = fmt.Sprintf("The records of %s lack what nearly all of them said before: its template was changed, or its platform. Without it %s.", router, strings.Join(blind, ", and "))
	f.Reasons = append(f.Reasons, fmt.Sprintf("%s came in the last %d minutes, so the export goes on", detect.Count(flowsOf(s.exported(addr, now-fieldMinutes, now)), "flow record"), fieldMinutes))
	f.NextSteps = []string{
		"Ask who changed the flow record or template of the router, and by which ticket. " + stepPlanned,
		"If nobody did: " + stepConsole, stepTaken,
	}
	f.SQL = exportEvidence(router, addr, since, s.now)
	return f, true
}

// lastWith is when the field was seen last, as far back as is looked.
func (s *scene) lastWith(addr netip.Addr, now int64, field int) time.Time {
	for m := now - 1; m > now-fieldMinutes; m-- {
		if sum(s.exportMinutes[m][addr]).With[field] > 0 {
			return atMinute(m + 1)
		}
	}
	return atMinute(now - fieldMinutes)
}

// lacking are the fields that the latest records lack, enough of them to tell, and of
// each field how many records could have carried it.
func (p *past) lacking(addr netip.Addr, now int64) (base [fieldCount]uint64, gone []int) {
	var with [fieldCount]uint64
	for m, open := now-1, fieldCount; m >= now-fieldMinutes && open > 0; m-- {
		one := sum(p.exportMinutes[m][addr])
		open = 0
		for field := range base {
			if with[field] > 0 || base[field] >= fieldRecords {
				continue
			}
			base[field] += one.Base[field]
			with[field] += one.With[field]
			open++
		}
	}
	for field := range base {
		if with[field] == 0 && base[field] >= fieldRecords {
			gone = append(gone, field)
		}
	}
	return base, gone
}

// sum adds up all kinds.
func sum(all []export) (one export) {
	for _, e := range all {
		one.Flows += e.Flows
		for f := range e.Base {
			one.Base[f] += e.Base[f]
			one.With[f] += e.With[f]
		}
	}
	return one
}
