package scan

import (
	"fmt"
	"math"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

// networkScan puts a fast scan into words.
func (s *scene) networkScan(x *suspect) alert.Finding {
	failed, walk := x.failed(), x.walk(s.cfg)
	inWindow := failed[:0:0]
	for _, t := range failed {
		if !t.first.Before(s.w.Start) {
			inWindow = append(inWindow, t)
		}
	}
	f := s.base(x, ruleNetwork, inWindow)
	if onInternet(x) { // there are many of them, and each new one is no news
		f.ID = alert.Identity(Name, ruleNetwork, "outside", worst(failed).end.Zone)
	}
	f.Confidence = walk.confidence(s.cfg.FalsePositive)
	took := max(span(x.targets), time.Second)
	f.Title = fmt.Sprintf("%s tried %s of %s on %s within %s, and %d of them refused or did not answer",
		x.text(), detect.Count(uint64(len(x.targets)), "new system"), zones(x.targets), services(x.targets), detect.Duration(took), len(failed))
	f.Summary = fmt.Sprintf("%s contacted %s that it had no dealings with in %s: %s. Who knows where to go does not fail that often; who looks for open doors does.",
		x.text(), detect.Count(uint64(len(x.targets)), "system"), detect.Duration(s.cfg.History), systems(failed))
	f.Reasons = append([]string{
		fmt.Sprintf("%d of %s failed within %s; who means well fails in %.0f %% of them", len(failed),
			detect.Count(uint64(len(x.targets)), "first contact"), detect.Duration(took), 100*(1-s.cfg.SuccessBenign)),
		fmt.Sprintf("the sequential test (TRW) stands at %.1f and decides at %.1f: scanning explains it %s times as well", walk.most, walk.upper, timesText(math.Exp(walk.most))),
	}, s.facts(x, failed)...)
	f.Measures = s.measures(x, failed)
	s.finish(&f, x, failed)
	return f
}

// slowScan puts a slow scan into words.
func (s *scene) slowScan(x *suspect, seen []amount) alert.Finding {
	failed := x.failed()
	from := x.targets[0].first
	top := worst(failed)
	f := alert.Finding{
		Detector: Name, Rule: ruleNetwork, ID: alert.Identity(Name, ruleNetwork, x.addr.String()),
		WindowStart: s.w.Start, WindowEnd: s.w.End, FirstSeen: from, LastSeen: from,
		Asset: detect.PartyOf(&top.end, top.addr), Peer: detect.PartyOf(&x.end, x.addr), Initiator: "peer",
		Exporters: []string{}, Quality: []string{},
	}
	for _, t := range failed {
		if f.LastSeen.Before(t.first) {
			f.LastSeen = t.first
		}
	}
	s.fill(&f, seen)
	chance := s.chance(len(failed), len(x.targets))
	f.Confidence = 1 - chance/(chance+s.cfg.FalsePositive)
	took := detect.Duration(max(span(x.targets), time.Second))
	f.Title = fmt.Sprintf("%s slowly tries systems of %s: %d new ones within %s, and %d of them refused or did not answer",
		x.text(), zones(x.targets), len(x.targets), took, len(failed))
	f.Summary = fmt.Sprintf("%s has tried %s of %s one after the other within %s, on %s: %s. It goes slowly enough not to stand out, and still finds next to nothing, as one does who looks for open doors.",
		x.text(), detect.Count(uint64(len(x.targets)), "system"), zones(x.targets), took, services(failed), systems(failed))
	f.Reasons = append([]string{
		fmt.Sprintf("%d of %s within %s failed; by chance so many fail for one in %s of those who mean well", len(failed),
			detect.Count(uint64(len(x.targets)), "first contact"), took, timesText(1/chance)),
		fmt.Sprintf("none of these systems had dealings with it in the %s before", detect.Duration(s.cfg.History-s.cfg.Slow)),
	}, s.facts(x, failed)...)
	f.Measures = s.measures(x, failed)
	f.SQL = detect.EvidenceSQL(detect.Window{Start: from, End: s.w.End}, "What "+x.addr.String()+" exchanged with protected systems",
		fmt.Sprintf("(src_addr = toIPv6('%[1]s') OR dst_addr = toIPv6('%[1]s'))", x.addr))
	s.finish(&f, x, failed)
	return f
}

// fill puts what the routers saw of the last hour into a finding that has no sessions
// of its own.
func (s *scene) fill(f *alert.Finding, seen []amount) {
	for _, a := range seen {
		router := routerText(a.Router, s)
		f.Exporters = append(f.Exporters, router)
		f.Sightings = append(f.Sightings, alert.Sighting{Exporter: router, Sampling: a.Sampling, Flows: a.Flows,
			BytesToAsset: a.BytesSent, BytesToPeer: a.BytesBack, Packets: a.Packets})
		if a.Flows > f.Flows {
			f.Flows, f.BytesToAsset, f.BytesToPeer, f.Packets = a.Flows, a.BytesSent, a.BytesBack, a.Packets
		}
		if a.Last.After(f.LastSeen) && a.Last.Before(f.WindowEnd) {
			f.LastSeen = a.Last
		}
	}
}

// portScan puts many ports of one system into words.
func (s *scene) portScan(x *suspect) alert.Finding {
	t := x.targets[0]
	f := s.base(x, rulePorts, x.targets)
	f.Confidence = 0.9
	asset := detect.AssetText(detect.PartyOf(&t.end, t.addr))
	f.Title = fmt.Sprintf("%s tried %d ports of %s in vain", x.text(), len(t.ports), asset)
	f.Summary = fmt.Sprintf("%s tried %d ports of %s within %s, and none of them let it in. A client knows the port that it wants; who tries many looks for what listens there.",
		x.text(), len(t.ports), asset, detect.Duration(s.cfg.Fast))
	f.Reasons = append([]string{
		fmt.Sprintf("%d ports failed within %s; %d make a port scan", len(t.ports), detect.Duration(s.cfg.Fast), s.cfg.Ports),
	}, s.facts(x, x.targets)...)
	f.Measures = []alert.Measure{{Name: "ports tried in vain", Observed: float64(len(t.ports)), Expected: 1, Unit: "ports"}}
	s.finish(&f, x, x.targets)
	return f
}

// darkHit puts a touch of an address at which nothing stands into words.
func (s *scene) darkHit(x *suspect) alert.Finding {
	f := s.base(x, ruleDark, x.targets)
	f.Confidence = 0.9
	n := countTargets(x.targets)
	f.Title = fmt.Sprintf("%s tried %s of %s at which nothing stands", x.text(), plural(n, "address", "addresses"), zones(x.targets))
	f.Summary = fmt.Sprintf("%s sent packets to %s on %s. No asset of the inventory owns the address, and nothing answered. Nobody has a reason to go there: who does looks for wiretap systems and does not know where they are.",
		x.text(), systems(x.targets), services(x.targets))
	f.Reasons = append([]string{
		fmt.Sprintf("%s of a lawful-intercept zone that no asset owns", plural(n, "address", "addresses")),
		"no rule of the inventory allows it",
	}, s.facts(x, x.targets)...)
	f.Measures = []alert.Measure{{Name: "unallocated addresses tried", Observed: float64(n), Expected: 0, Unit: "hosts"}}
	s.finish(&f, x, x.targets)
	f.NextSteps = append([]string{fmt.Sprintf("If something does stand at %s, enter it in the inventory as an asset: then this stops.", worst(x.targets).addr)}, f.NextSteps...)
	return f
}

func countTargets(targets []*target) int {
	seen := map[string]bool{}
	for _, t := range targets {
		seen[t.addr.String()] = true
	}
	return len(seen)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// measures are the numbers of a scan.
func (s *scene) measures(x *suspect, failed []*target) []alert.Measure {
	n, f := len(x.targets), len(failed)
	return []alert.Measure{
		{Name: "new systems contacted in vain", Observed: float64(f), Expected: (1 - s.cfg.SuccessBenign) * float64(n), Unit: "hosts", Rarity: s.chance(f, n)},
		{Name: "share of first contacts that failed", Observed: float64(f) / float64(n), Expected: 1 - s.cfg.SuccessBenign},
	}
}
