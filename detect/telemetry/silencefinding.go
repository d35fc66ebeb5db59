package telemetry

import (
	"fmt"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

// verdict is what the neighbours say about a silent router.
type verdict struct {
	severity   alert.Severity
	confidence float64
	summary    string
	reasons    []string
}

// verdict judges whether a silent router still works. Its own packets decide. Where it
// was never seen to send any, the traffic that it used to report does: that tells
// less, since it may have found another way.
func (s *scene) verdict(n *sighted, watched uint64) verdict {
	by := ""
	if len(n.SeenBy) > 0 {
		by = " by " + s.routers(n.SeenBy)
	}
	passed := fmt.Sprintf("between the ends of flows that it used to report, others report %s in the %s since, where %.0f were to be expected",
		detect.Count(n.PassedAfter, "flow record"), detect.Duration(n.after), n.expected(n.PassedBefore))
	switch {
	case n.SentAfter >= 2 && float64(n.SentAfter) >= 0.2*n.expected(n.SentBefore):
		return verdict{alert.Critical, 0.95,
			fmt.Sprintf("The router itself works: %s from its own addresses were seen since%s. So its export was switched off, or is held back on its way.", detect.Count(n.SentAfter, "flow record"), by),
			[]string{fmt.Sprintf("since it fell silent, other routers reported %s from its own addresses and %d to them; in the hour before %d from them", detect.Count(n.SentAfter, "flow record"), n.GotAfter, n.SentBefore), passed}}
	case n.SentAfter == 0 && n.expected(n.SentBefore) >= 5:
		return verdict{alert.Medium, 0.6,
			"Nothing is seen of the router itself any more: it may be down, and this an outage.",
			[]string{fmt.Sprintf("since it fell silent, other routers reported nothing from its own addresses, where %.0f flow records were to be expected by the hour before", n.expected(n.SentBefore)), passed}}
	case n.passes():
		return verdict{alert.Critical, 0.75,
			fmt.Sprintf("Traffic that it used to report goes on, seen%s: either its export was switched off, or that traffic found another way.", by),
			[]string{passed, fmt.Sprintf("its own addresses were seen in %d flow records in the hour before and %d since: too few to tell whether it works", n.SentBefore, n.SentAfter)}}
	case watched > 0:
		return verdict{alert.High, 0.5,
			"No other router tells whether it still works: it, its line or its export is down, or somebody switched the export off.",
			[]string{"too little from its own addresses was to be expected at other routers to tell; " + passed}}
	default:
		return verdict{alert.Medium, 0.5,
			"No other router tells whether it still works: it, its line or its export is down, or somebody switched the export off.",
			[]string{"too little from its own addresses was to be expected at other routers to tell; " + passed}}
	}
}

// silentID is the identity of one outage of one exporter.
func silentID(x exporter) string {
	return alert.Identity(Name, ruleSilent, x.Addr.String(), x.Last.Format(time.RFC3339))
}

// oneSilent says that one exporter fell silent while others were heard.
func (d *Detector) oneSilent(s *scene, x exporter, watched uint64, n *sighted) alert.Finding {
	f := s.finding(ruleSilent, x.Addr, x.Last)
	router, silent := f.Exporters[0], s.silence(x.Last, s.now, d.cfg.History)
	r := s.rhythm(x.Addr, x.slot, d.cfg.History)
	v := s.verdict(n, watched)
	f.ID, f.Severity, f.Confidence = silentID(x), v.severity, v.confidence
	f.Title = fmt.Sprintf("%s stopped sending flows at %s", router, detect.Clock(x.Last))
	sees := "It was not seen to report traffic of protected systems."
	if watched > 0 {
		sees = fmt.Sprintf("It reported %s of protected systems before; what only it saw is not watched now.", detect.Count(watched, "flow record"))
	}
	f.Summary = fmt.Sprintf("%s has sent nothing for %s, while other routers are heard. %s %s", router, detect.Duration(silent), v.summary, sees)
	f.Reasons = append([]string{
		fmt.Sprintf("silent for %s; its limit is %s: %g times its usual longest pause of %s, but at least %s",
			detect.Duration(silent), detect.Duration(d.limit(r)), d.cfg.Gaps, detect.Duration(r.Gap), detect.Duration(d.cfg.Silence)),
	}, v.reasons...)
	f.Reasons = append(f.Reasons,
		fmt.Sprintf("it was heard in %d of the ten-second intervals of the %s before", r.Buckets, detect.Duration(d.cfg.History)),
		"other routers were heard meanwhile, so the collector and its network work")
	f.Measures = []alert.Measure{
		{Name: "silent for", Observed: silent.Seconds(), Expected: r.Gap.Seconds(), Unit: "seconds", Rarity: 0.01},
		{Name: "flows from its own addresses seen by others since", Observed: float64(n.SentAfter), Expected: n.expected(n.SentBefore), Unit: "flows"},
		{Name: "flows it used to report seen by others since", Observed: float64(n.PassedAfter), Expected: n.expected(n.PassedBefore), Unit: "flows"},
	}
	f.NextSteps = []string{
		fmt.Sprintf("See whether %s forwards traffic: its interfaces in the network management, a ping from the management network.", router),
		"If it is down, this is an outage: hand it to network operations.",
		"If it is up: is the flow export still configured, to this collector, from the same source address? " + stepConsole,
		stepTaken, stepPlanned,
	}
	f.SQL = evidence(router, only("activity.exporter", x.Addr), x.Last, f.LastSeen)
	return f
}

// oneBack says that an exporter whose silence was reported is heard again.
func (d *Detector) oneBack(s *scene, x comeback, restarts uint64) alert.Finding {
	f := s.finding(ruleSilent, x.Addr, x.Last)
	router, silent := f.Exporters[0], x.back.Sub(x.Last)
	f.ID, f.Severity, f.Confidence = silentID(x.exporter), alert.Low, 0.95
	f.Title = fmt.Sprintf("%s is back since %s: it had sent no flows since %s", router, detect.Clock(x.back), detect.Clock(x.Last))
	f.Summary = fmt.Sprintf("%s sends flows again, after %s of silence. What passed it meanwhile was not watched by it.", router, detect.Duration(silent))
	why := "whether it restarted is not known: its sequence numbers tell two minutes later, if at all"
	if restarts > 0 {
		f.Summary += " It began to number anew when it came back: it was restarted."
		why = fmt.Sprintf("it began to number anew (%s): the router or its export was restarted", detect.Count(restarts, "restart"))
	}
	f.Reasons = []string{fmt.Sprintf("silent for %s, from %s to %s", detect.Duration(silent), detect.Clock(x.Last), detect.Clock(x.back)), why}
	f.Measures = []alert.Measure{{Name: "silent for", Observed: silent.Seconds(), Expected: s.rhythm(x.Addr, x.slot, d.cfg.History).Gap.Seconds(), Unit: "seconds", Rarity: 0.01}}
	f.NextSteps = []string{
		"Ask who worked on it. If nobody did, call security, and read its log and its configuration for that time at the console.",
		fmt.Sprintf("Look at what other routers saw of protected systems from %s to %s.", detect.Clock(x.Last), detect.Clock(x.back)),
		"Compare its configuration with the last saved one: the time without export may have served to change it.",
	}
	f.SQL = evidence(router, only("activity.exporter", x.Addr), x.Last, f.LastSeen)
	return f
}

// allSilent says that no exporter is heard any more, or, with the time when one was
// heard again, that it is over.
func (d *Detector) allSilent(s *scene, x exporter, back time.Time) alert.Finding {
	f := s.finding(ruleAllSilent, x.Addr, x.Last)
	f.ID = alert.Identity(Name, ruleAllSilent, x.Last.Format(time.RFC3339))
	f.Severity, f.Confidence, f.Asset = alert.Critical, 0.9, alert.Party{}
	silent := s.silence(x.Last, s.now, d.cfg.History)
	f.Title = fmt.Sprintf("No router has sent flows since %s", detect.Clock(x.Last))
	f.Summary = fmt.Sprintf("The collector runs, but for %s nothing came from any of %s. Nothing is watched meanwhile.",
		detect.Duration(silent), detect.Count(uint64(s.count), "router"))
	if !back.IsZero() {
		silent = back.Sub(x.Last)
		f.Severity = alert.Low
		f.Title = fmt.Sprintf("Flows are back since %s: no router had sent any since %s", detect.Clock(back), detect.Clock(x.Last))
		f.Summary = fmt.Sprintf("Flows arrive again, after %s in which nothing came from any router. What passed meanwhile was not watched.", detect.Duration(silent))
	}
	f.Reasons = []string{
		fmt.Sprintf("%s had been heard in the %s before; the last was %s", detect.Count(uint64(s.count), "router"), detect.Duration(d.cfg.History), f.Exporters[0]),
		fmt.Sprintf("silent for %s, while the collector wrote its own counts", detect.Duration(silent)),
	}
	f.Measures = []alert.Measure{{Name: "nothing from any router for", Observed: silent.Seconds(), Unit: "seconds"}}
	f.NextSteps = []string{
		"Look at the way to the collector first: its network interface, the firewall or access list before it, its address.",
		"Run tapwatch doctor: it shows what arrives from whom and what is refused.",
		"If datagrams reach the host but not tapwatch, see that collector.listen has the ports that the routers send to.",
		"If the way is fine, somebody may have cut the export on purpose: call security.",
	}
	f.SQL = evidence("each router", "", x.Last, f.LastSeen)
	return f
}
