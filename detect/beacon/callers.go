package beacon

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

// passing tells whether the pair is an outside peer that calls, and has not done so for
// long. Whatever is open to the internet is called at a steady pace by hundreds a day who
// try passwords and are done within two hours; who watches or controls comes for longer.
// RITA as well counts how long a beacon lasts only from six hours on.
func (d *Detector) passing(c *candidate) bool {
	return c.calledFromOutside() && hours(c.Hourly) < d.cfg.CallerHours
}

// calledFromOutside tells whether an outside peer opens the sessions, for sure.
func (c *candidate) calledFromOutside() bool { return c.External() && c.Initiator == "peer" }

// hours counts those with a call.
func hours(hourly []uint64) (n int) {
	for _, calls := range hourly {
		if calls > 0 {
			n++
		}
	}
	return n
}

// found is a candidate with its finding.
type found struct {
	*candidate
	finding alert.Finding
}

// service is what outside callers have in common.
type service struct {
	rule, zone, asset string
	protocol          uint8
	port              uint16
}

// fold leaves the findings as they are, but for those of more than a few outside
// callers of one service: these become one.
func (d *Detector) fold(all []found, l *look) []alert.Finding {
	callers := map[service][]found{}
	of := func(f *found) service {
		return service{f.rule, f.AssetZone, f.AssetParty().Name(), f.Protocol, f.Port}
	}
	for i := range all {
		if f := &all[i]; f.calledFromOutside() {
			callers[of(f)] = append(callers[of(f)], *f)
		}
	}
	var findings []alert.Finding
	for i := range all {
		f := &all[i]
		group := callers[of(f)]
		switch {
		case !f.calledFromOutside() || len(group) <= d.cfg.MaxCallers:
			findings = append(findings, f.finding)
		case group[0].candidate == f.candidate:
			findings = append(findings, d.manyCallers(group, l))
		}
	}
	return findings
}

// namedCallers is how many callers are named.
const namedCallers = 5

// manyCallers is the finding for all callers of one service. The one that is the least
// like chance stands for the peer.
func (d *Detector) manyCallers(group []found, l *look) alert.Finding {
	group = slices.SortedStableFunc(slices.Values(group), func(a, b found) int {
		return cmp.Or(cmp.Compare(a.logP(), b.logP()), a.PeerAddr.Compare(b.PeerAddr))
	})
	top := &group[0]
	f := top.finding
	var reasons, addrs []string
	days := 1
	for i := range group {
		c := &group[i]
		if i > 0 {
			detect.Add(&f, &c.finding)
			f.Confidence = max(f.Confidence, c.finding.Confidence)
		}
		days = max(days, c.span())
		addrs = append(addrs, "toIPv6('"+c.PeerAddr.Unmap().String()+"')")
		if i < namedCallers {
			t := c.texts(d, l)
			reasons = append(reasons, fmt.Sprintf("%s %s: %s", detect.PeerText(c.PeerParty()), t.beat(), t.regularity()))
		}
	}
	t := top.texts(d, l)
	name, peer := detect.Service(top.Protocol, top.Port), top.PeerAddr.Unmap()
	f.ID = alert.Identity(Name, top.rule, "callers", top.AssetZone, top.AssetParty().Name(), name)
	f.Title = fmt.Sprintf("%d outside addresses call %s by %s steadily, %s the most evenly: %s", len(group), t.system(), name, peer, t.beat())
	f.Summary = fmt.Sprintf("%s. Programs call like this, people do not. Many of them at once are most likely robots that try passwords or look for holes; "+
		"one of them may be more. One alert stands for all while there are more than %d. No rule of the inventory allows them.", f.Title, d.cfg.MaxCallers)
	f.Reasons = append(reasons, fmt.Sprintf("each called in %d different hours or more", d.cfg.CallerHours), "no rule of the inventory allows them")
	f.Measures = append([]alert.Measure{{Name: "outside addresses that call steadily", Observed: float64(len(group)), Unit: "hosts"}}, f.Measures...)
	f.NextSteps = []string{
		fmt.Sprintf("Ask whoever runs %s whether %s is meant to be open to the internet at all. If it is not, have it closed: that ends this alert.", top.AssetParty().Name(), name),
		fmt.Sprintf("Save the flow records before anything else: run the query of this alert and keep its output with the ticket. Begin with %s.", peer),
		fmt.Sprintf("Find out through the console of %s which of these addresses logged in or got more than an error, and treat the system as taken over if one did.", top.AssetParty().Name()),
		"If the service is meant for everybody, have its owner add an allow rule from any for it to the inventory.",
	}
	asset := top.AssetAddr.Unmap()
	f.SQL = detect.EvidenceSQL(detect.Window{Start: l.w.End.Add(-time.Duration(days) * day), End: l.w.End},
		"What outside addresses that call steadily exchanged with "+top.AssetParty().Name(),
		fmt.Sprintf("protocol = %[1]d AND ((dst_addr = toIPv6('%[2]s') AND dst_port = %[3]d AND src_addr IN (%[4]s))\n        OR (src_addr = toIPv6('%[2]s') AND src_port = %[3]d AND dst_addr IN (%[4]s)))",
			top.Protocol, asset, top.Port, strings.Join(addrs, ", ")))
	return f
}

// logP is the natural logarithm of how often chance gives as much as the rule found.
func (c *candidate) logP() float64 {
	if c.rule == ruleCoverage {
		return c.coverage.LogP
	}
	return c.rhythm.LogP
}
