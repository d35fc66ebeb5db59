package telemetry

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
)

//go:embed interfaceevidence.sql
var interfaceEvidenceSQL string

//go:embed facing.sql
var facingSQL string

const (
	// interfacesEvery is how often interfaces are judged: they are many.
	interfacesEvery = 5 * time.Minute
	// interfaceStill is how long one must be still at least.
	interfaceStill = 15 * time.Minute
)

// interfacesDue tells whether interfaces are judged at that time.
func interfacesDue(now time.Time) bool { return now.Truncate(interfacesEvery).Equal(now) }

// stillInterface is an interface that is gone from the export.
type stillInterface struct {
	index uint32
	stillness
}

// vanished judges which interfaces that used to carry traffic are gone from the export
// of a router that exports on. All of one router are one finding.
func (d *Detector) vanished(ctx context.Context, s *scene) (findings []alert.Finding, err error) {
	if !interfacesDue(s.now) {
		return nil, nil
	}
	for addr, all := range s.interfaces {
		_, ok := s.lastSlot(addr, s.now, s.now.Add(-d.cfg.Silence))
		if !ok || s.held(addr, s.now) {
			continue // the router itself is silent
		}
		gone := d.goneInterfaces(s, addr, all, minuteOf(s.now))
		if len(gone) == 0 {
			continue
		}
		before := d.goneInterfaces(s, addr, all, minuteOf(s.now.Add(-interfacesEvery)))
		due := slices.ContainsFunc(gone, func(x stillInterface) bool {
			was := slices.ContainsFunc(before, func(b stillInterface) bool { return b.index == x.index })
			return !was || s.held(addr, s.now.Add(-interfacesEvery)) || x.duration()/d.cfg.Repeat > (x.duration()-interfacesEvery)/d.cfg.Repeat
		})
		if !due {
			continue
		}
		f, err := d.interfaceFinding(ctx, s, addr, all, gone)
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// goneInterfaces are the interfaces of a router that are gone at the beginning of the
// minute, ordered by index.
func (d *Detector) goneInterfaces(s *scene, addr netip.Addr, all map[uint32]*series, now int64) (gone []stillInterface) {
	for index, one := range all {
		if still, is := d.still(s.past, []use{{one, addr}}, now, interfaceStill); is {
			gone = append(gone, stillInterface{index, still})
		}
	}
	slices.SortFunc(gone, func(a, b stillInterface) int { return cmp.Compare(a.index, b.index) })
	return gone
}

// role is what the inventory says the interface is for.
func (s *scene) role(addr netip.Addr, index uint32) string {
	x, _ := s.inv.Exporter(addr)
	return x.InterfaceRole(index)
}

// used are the interfaces that carried something in the history before.
func used(all map[uint32]*series, since, until int64) (indexes []uint32) {
	for index, one := range all {
		if one.active(since, until) > 0 {
			indexes = append(indexes, index)
		}
	}
	slices.Sort(indexes)
	return indexes
}

func (d *Detector) interfaceFinding(ctx context.Context, s *scene, addr netip.Addr, all map[uint32]*series, gone []stillInterface) (alert.Finding, error) {
	first, last := gone[0], gone[0]
	isGone := map[uint32]bool{}
	var indexes []uint32
	for _, x := range gone {
		isGone[x.index] = true
		indexes = append(indexes, x.index)
		if x.last < first.last {
			first = x
		}
		if x.last > last.last {
			last = x
		}
	}
	seen, err := d.neighbours(ctx, s, []exporter{{Addr: addr, Last: last.lastSeen()}}, indexes...)
	if err != nil {
		return alert.Finding{}, err
	}
	li, err := d.facing(ctx, s, addr, first.lastSeen())
	if err != nil {
		return alert.Finding{}, err
	}
	f := s.finding(ruleInterfaces, addr, first.lastSeen())
	router, n := f.Exporters[0], seen[addr]
	f.ID = alert.Identity(Name, ruleInterfaces, addr.String(), first.lastSeen().Format(time.DateOnly))
	list := indexText(indexes)
	before := used(all, first.last-int64(d.cfg.History/time.Minute), first.last+1)
	renumbered := d.renumbered(s, addr, all, first.last, len(gone))
	f.Severity, f.Confidence = alert.Low, 0.6
	which, why := "A link that is down is the usual reason.", "the others of its interfaces go on"
	switch name := s.wholeRole(addr, before, isGone, li); {
	case renumbered > 0:
		which = fmt.Sprintf("%s came up that it did not have before: it numbers its interfaces anew, as after a restart.", detect.Count(uint64(renumbered), "interface"))
	case name != "" && n.passes():
		f.Severity, f.Confidence = alert.High, 0.8
		which = fmt.Sprintf("These are all its %s interfaces, and what used to pass them is still seen by %s: the export of these interfaces was switched off, or that traffic found another way.", name, s.routers(n.SeenBy))
	case name != "":
		f.Severity = alert.Medium
		which = fmt.Sprintf("These are all its %s interfaces; what used to pass them is not seen elsewhere either, so the links may be down.", name)
	case len(gone)*2 >= len(before) && len(gone) > 1:
		f.Severity = alert.Medium
		which = "That is half of its interfaces or more."
	}
	f.Title = fmt.Sprintf("%s no longer exports %s: %s", router, detect.Count(uint64(len(gone)), "interface"), list)
	if len(f.Title) > 180 {
		f.Title = fmt.Sprintf("%s no longer exports %s", router, detect.Count(uint64(len(gone)), "interface"))
	}
	f.Summary = fmt.Sprintf("%s exports on, but nothing of what regularly passed %s of its interfaces (%s) since %s. %s", router, strconv.Itoa(len(gone)), list, detect.Clock(first.lastSeen()), which)
	f.Reasons = []string{
		fmt.Sprintf("interface %d: still for %s; %.0f flow records were to be expected by the same hours of %s before, and its own pauses allow %s",
			first.index, detect.Duration(first.duration()), first.expected, detect.Count(uint64(first.days), "day"), detect.Duration(time.Duration(first.limit)*time.Minute)),
		fmt.Sprintf("%d of %d interfaces in use are gone; %s", len(gone), len(before), why),
		fmt.Sprintf("between the ends of flows that used to pass them, other routers report %s since, where %.0f were to be expected", detect.Count(n.PassedAfter, "flow record"), n.expected(n.PassedBefore)),
	}
	f.Measures = []alert.Measure{
		{Name: "flows through the interfaces", Observed: 0, Expected: first.expected, Unit: "flows"},
		{Name: "interfaces gone", Observed: float64(len(gone)), Expected: 0, Unit: "interfaces"},
		{Name: "flows that used to pass them seen by others since", Observed: float64(n.PassedAfter), Expected: n.expected(n.PassedBefore), Unit: "flows"},
	}
	f.NextSteps = []string{
		fmt.Sprintf("See whether the interfaces of %s are up and carry traffic, in the network management.", router),
		"If they are down, this is an outage of the links: hand it to network operations.",
		"If they are up: is flow export still configured on each of them? " + stepConsole,
		stepTaken, stepPlanned,
	}
	f.SQL = fill(interfaceEvidenceSQL, "{router}", comment(router), "{list}", list, "{addr}", addr.String(),
		"{since}", first.lastSeen().Add(-6*time.Hour).Format(sqlTime), "{until}", s.now.Format(sqlTime))
	return f, nil
}

// wholeRole names a role of which all interfaces that were in use are gone: one of the
// inventory, or of those that carried lawful-intercept traffic; empty where there is none.
func (s *scene) wholeRole(addr netip.Addr, before []uint32, gone, li map[uint32]bool) string {
	whole := map[string]bool{}
	note := func(name string, index uint32) {
		if was, known := whole[name]; name != "" && (!known || was) {
			whole[name] = gone[index]
		}
	}
	for _, index := range before {
		note(s.role(addr, index), index)
		if li[index] {
			note(flow.ZoneLawfulIntercept, index)
		}
	}
	for _, name := range []string{flow.ZoneLawfulIntercept, "li", "peering", "transit", "core"} {
		if whole[name] {
			return name
		}
	}
	return ""
}

// renumbered is how many interfaces the router has since the minute that it did not
// have before, if that are half as many as are gone.
func (d *Detector) renumbered(s *scene, addr netip.Addr, all map[uint32]*series, since int64, gone int) (fresh int) {
	now := minuteOf(s.now)
	for _, one := range all {
		if one.active(since, now) > 0 && one.active(now-int64(d.cfg.Habits/time.Minute), since) == 0 {
			fresh++
		}
	}
	if 2*fresh < gone {
		return 0
	}
	return fresh
}

// facing are the interfaces that carried lawful-intercept traffic in the day before.
func (d *Detector) facing(ctx context.Context, s *scene, addr netip.Addr, until time.Time) (map[uint32]bool, error) {
	var rows []struct {
		Interface uint32 `ch:"interface"`
		Flows     uint64 `ch:"flows"`
	}
	err := s.h.Select(ctx, &rows, facingSQL, detect.Param("router", addr.String()),
		detect.Param("since", until.Add(-d.cfg.History)), detect.Param("until", until))
	if err != nil {
		return nil, fmt.Errorf("read which interfaces of %s carry intercepts: %w", addr, err)
	}
	li := make(map[uint32]bool, len(rows))
	for _, r := range rows {
		li[r.Interface] = true
	}
	return li, nil
}

// indexText lists interface indexes.
func indexText(indexes []uint32) string {
	texts := make([]string, len(indexes))
	for i, index := range indexes {
		texts[i] = strconv.FormatUint(uint64(index), 10)
	}
	return strings.Join(texts, ", ")
}
