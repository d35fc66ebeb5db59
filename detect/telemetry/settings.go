package telemetry

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

//go:embed exportevidence.sql
var exportEvidenceSQL string

const (
	// onset is how many minutes after its first record something new may begin to count,
	// enough how many records of it count whatever their share is.
	onset  = 60
	enough = 10
	// habitual is how many records of an exporter make a habit.
	habitual = 30
	// steady is how many records of one kind alone make one that is not of it news.
	steady = 200
	// fieldMinutes is over how many minutes at most fields are missed, fieldRecords of how
	// many records.
	fieldMinutes = 60
	fieldRecords = 30
	// fieldUsual is the share of the records that used to carry what is now missing.
	fieldUsual = 0.9
)

// settings finds exporters that sample otherwise, export by another protocol, or leave
// fields out.
func (d *Detector) settings(_ context.Context, s *scene) (findings []alert.Finding, err error) {
	now := minuteOf(s.now)
	for addr, latest := range s.exportMinutes[now-1] {
		if s.held(addr, s.now) {
			continue
		}
		if m, was := s.inv.UnderMaintenance(s.now.Add(-every), inventory.Subject{Exporter: addr}); was {
			findings = append(findings, d.stayed(s, addr, now, m.From)...)
			continue
		}
		findings = append(findings, d.sampled(s, addr, latest, now)...)
		findings = append(findings, d.spoken(s, addr, latest, now)...)
		if f, ok := d.stripped(s, addr, now); ok {
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// news is something of an exporter that was not there before.
type news struct {
	since int64 // its first minute
	// sure says that it makes up half of the records of a minute, or that there are
	// enough of them; else there is a first record, no more.
	sure bool
	// habit is what the exporter sent before.
	habit []export
}

// began tells whether something new, told by is, is to be reported at this minute: when
// it is first seen, where the exporter never did so in all the time that is known and
// has one way of its own, and when it is sure, where it did not do so in its history.
func (d *Detector) began(s *scene, addr netip.Addr, now int64, is func(*export) bool) (n news, due bool) {
	count := func(all []export) (n uint64) {
		for i := range all {
			if is(&all[i]) {
				n += all[i].Flows
			}
		}
		return n
	}
	n.since = -1
	var sum uint64
	for m := now - onset; m < now; m++ {
		minute := s.exported(addr, m, m+1)
		new := count(minute)
		if new == 0 {
			continue
		}
		if n.since < 0 {
			n.since = m
		}
		sum += new
		if n.sure = 2*new >= flowsOf(minute) || sum >= enough; n.sure {
			if m != now-1 {
				return n, false // it was sure before
			}
			break
		}
	}
	if n.since < 0 || !n.sure && n.since != now-1 {
		return n, false
	}
	if n.habit = s.habit(addr, n.since, d.cfg.History); count(n.habit) > 0 || flowsOf(n.habit) < habitual {
		return n, false
	}
	if n.sure {
		return n, true
	}
	// A first record is no more than that where routers have several samplers.
	return n, len(n.habit) == 1 && n.habit[0].Flows >= steady && count(s.habit(addr, n.since, d.cfg.Habits)) == 0
}

// sampled finds new sampling intervals.
func (d *Detector) sampled(s *scene, addr netip.Addr, latest []export, now int64) (findings []alert.Finding) {
	seen := map[uint32]bool{0: true} // 0 is not said
	for i := range latest {
		interval := latest[i].Sampling
		if seen[interval] {
			continue
		}
		seen[interval] = true
		if s.usedBefore(addr, now, func(e *export) bool { return e.Sampling == interval }) {
			continue
		}
		n, due := d.began(s, addr, now, func(e *export) bool { return e.Sampling == interval })
		if usual := dominant(n.habit); due && usual != 0 {
			findings = append(findings, d.samplingFinding(s, addr, &n, usual, interval))
		}
	}
	return findings
}

// stayed finds, when a maintenance window ends, a sampling interval that it began with
// and that stayed: the window was for work, perhaps not for this.
func (d *Detector) stayed(s *scene, addr netip.Addr, now int64, from time.Time) []alert.Finding {
	const latest = 15 // minutes
	interval := dominant(s.exported(addr, now-latest, now))
	n := news{since: minuteOf(from), sure: true}
	for h := hourOf(from) - int64(d.cfg.History/time.Hour); h < hourOf(from); h++ {
		for _, e := range s.exportHours[h][addr] {
			if n.habit = join(n.habit, e); e.Sampling == interval {
				return nil
			}
		}
	}
	usual := dominant(n.habit)
	if interval == 0 || usual == 0 || flowsOf(n.habit) < habitual {
		return nil
	}
	f := d.samplingFinding(s, addr, &n, usual, interval)
	f.Severity = min(f.Severity, alert.Medium)
	f.Reasons = append(f.Reasons, fmt.Sprintf("it was changed in the maintenance window that began at %s, and was still so when that ended", detect.Clock(from)))
	return []alert.Finding{f}
}

// usedBefore tells, at little cost, that something is not new: it was there in the
// last whole hour before.
func (p *past) usedBefore(addr netip.Addr, now int64, is func(*export) bool) bool {
	all := p.exportHours[(now-onset)/60-1][addr]
	for i := range all {
		if is(&all[i]) {
			return true
		}
	}
	return false
}

func (d *Detector) samplingFinding(s *scene, addr netip.Addr, news *news, usual, interval uint32) alert.Finding {
	since, habit := news.since, news.habit
	f := s.finding(ruleSampling, addr, atMinute(since))
	router := f.Exporters[0]
	f.ID = alert.Identity(Name, ruleSampling, addr.String(), fmt.Sprint(interval), atMinute(since).Format(time.RFC3339))
	f.Confidence = 0.95
	factor := float64(interval) / float64(usual)
	expected := s.inv.SamplingInterval(addr) == interval
	effect := ""
	switch {
	case factor >= 2 && !expected:
		f.Severity = alert.High
		effect = fmt.Sprintf("It now shows one packet where it showed %.3g: short sessions, scans and beacons through it are hardly seen any more.", factor)
	case factor > 1:
		f.Severity = alert.Low
		effect = fmt.Sprintf("It now shows one packet where it showed %.3g.", factor)
	default:
		f.Severity = alert.Low
		effect = fmt.Sprintf("It now shows %.3g times as many packets, so it sees more than before; its counts of flows are not to be compared with those before.", 1/factor)
	}
	recent := s.exported(addr, max(since, minuteOf(s.now)-60), minuteOf(s.now))
	if !news.sure {
		// Most likely the minute ended soon after the change; the next one tells.
		f.Severity, f.Confidence = min(f.Severity, alert.Medium), 0.6
		f.Quality = append(f.Quality, "few records say so yet: it may hold for a part of the router only")
	}
	if expected {
		effect += " The inventory expects this interval of it."
	}
	var n uint64
	for _, e := range recent {
		if e.Sampling == interval {
			n += e.Flows
		}
	}
	f.Title = fmt.Sprintf("%s samples 1 of %d packets since %s, before 1 of %d", router, interval, detect.Clock(atMinute(since)), usual)
	f.Summary = fmt.Sprintf("%s changed its sampling interval from %d to %d. %s", router, usual, interval, effect)
	f.Reasons = []string{
		fmt.Sprintf("%d of %s since then say an interval of %d; none of %s in the %s before did", n, detect.Count(flowsOf(recent), "flow record"), interval, detect.Count(flowsOf(habit), "flow record"), detect.Duration(d.cfg.History)),
		fmt.Sprintf("most records before said %d", usual),
	}
	f.Measures = []alert.Measure{{Name: "sampling interval", Observed: float64(interval), Expected: float64(usual), Unit: "packets", Rarity: 1 / float64(flowsOf(habit)+1)}}
	f.Flows = n
	f.NextSteps = []string{
		"Ask who changed the sampling, and by which ticket. " + stepPlanned,
		"If nobody did: " + stepConsole,
		stepTaken,
		"If it is to stay, enter the new interval in the inventory, and look at which detectors need more than it shows.",
	}
	f.SQL = exportEvidence(router, addr, atMinute(since), s.now)
	return f
}

func exportEvidence(router string, addr netip.Addr, since, until time.Time) string {
	return fill(exportEvidenceSQL, "{router}", comment(router), "{addr}", addr.String(),
		"{since}", since.Add(-2*time.Hour).Format(sqlTime), "{until}", until.Format(sqlTime))
}

// spoken finds new export protocols.
func (d *Detector) spoken(s *scene, addr netip.Addr, latest []export, now int64) (findings []alert.Finding) {
	seen := map[string]bool{"unknown": true}
	for i := range latest {
		protocol := latest[i].Protocol
		if seen[protocol] {
			continue
		}
		seen[protocol] = true
		if s.usedBefore(addr, now, func(e *export) bool { return e.Protocol == protocol }) {
			continue
		}
		if n, due := d.began(s, addr, now, func(e *export) bool { return e.Protocol == protocol }); due {
			findings = append(findings, d.protocolFinding(s, addr, &n, protocol))
		}
	}
	return findings
}

func (d *Detector) protocolFinding(s *scene, addr netip.Addr, news *news, protocol string) alert.Finding {
	since, habit := news.since, news.habit
	f := s.finding(ruleProtocol, addr, atMinute(since))
	router := f.Exporters[0]
	var before []string
	for _, e := range habit {
		if !slices.Contains(before, protocolText(e.Protocol)) {
			before = append(before, protocolText(e.Protocol))
		}
	}
	f.ID = alert.Identity(Name, ruleProtocol, addr.String(), protocol, atMinute(since).Format(time.RFC3339))
	f.Severity, f.Confidence = alert.Medium, 0.95
	if !news.sure {
		f.Confidence = 0.6
		f.Quality = append(f.Quality, "few records came so yet: it may hold for a part of the router only")
	}
	f.Title = fmt.Sprintf("%s exports as %s since %s, before as %s", router, protocolText(protocol), detect.Clock(atMinute(since)), listText(before))
	f.Summary = fmt.Sprintf("%s changed the protocol of its flow export, or somebody else sends in its name. Fields and sampling may have changed with it.", router)
	f.Reasons = []string{
		fmt.Sprintf("none of %s in the %s before came as %s", detect.Count(flowsOf(habit), "flow record"), detect.Duration(d.cfg.History), protocolText(protocol)),
		fmt.Sprintf("%s came since", detect.Count(flowsOf(s.exported(addr, since, minuteOf(s.now))), "flow record")),
	}
	f.Measures = []alert.Measure{{Name: "records of the new protocol before", Observed: 0, Unit: "flows", Rarity: 1 / float64(flowsOf(habit)+1)}}
	f.NextSteps = []string{
		"Ask who changed the export, and by which ticket. " + stepPlanned,
		"If nobody did, see whether the datagrams come from the router at all: anyone in the network can send in its name. " + stepConsole,
		stepTaken,
	}
	f.SQL = exportEvidence(router, addr, atMinute(since), s.now)
	return f
}

func protocolText(name string) string {
	switch name {
	case "ipfix":
		return "IPFIX"
	case "sflow5":
		return "sFlow v5"
	default:
		return strings.Replace(name, "netflow", "NetFlow v", 1)
	}
}
