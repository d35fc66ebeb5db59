package telemetry

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

//go:embed evidence.sql
var evidenceSQL string

// finding puts an exporter's silence into words; watched is how many flows of
// protected systems it reported before, all says that it stands for every exporter.
func (d *Detector) finding(s *scene, x exporter, r rhythm, watched uint64, all bool) alert.Finding {
	router := detect.ExporterText(x.Addr, s.inv.ExporterName)
	at := s.inv.Lookup(x.Addr)
	f := alert.Finding{
		Detector:    Name,
		WindowStart: s.w.Start,
		WindowEnd:   s.w.End,
		FirstSeen:   x.Last,
		LastSeen:    s.now,
		Asset:       alert.Party{Addr: x.Addr, Zone: at.Zone, ZoneKind: at.Kind, Asset: at.Asset, Role: at.Role},
		Exporters:   []string{router},
		Quality:     []string{},
		Techniques:  []alert.Technique{detect.DisableOrModifyTools, detect.IndicatorRemoval},
	}
	if f.Asset.Asset == "" && s.inv.Listed(x.Addr) {
		f.Asset.Asset = s.inv.ExporterName(x.Addr)
	}
	silent := s.life.silence(x.Last, s.now)
	if all {
		d.allSilent(&f, s, x, silent)
	} else {
		d.oneSilent(&f, x, r, silent, watched)
	}
	return f
}

// oneSilent says that one exporter fell silent while others were heard.
func (d *Detector) oneSilent(f *alert.Finding, x exporter, r rhythm, silent time.Duration, watched uint64) {
	router := f.Exporters[0]
	f.Rule = ruleSilent
	f.ID = alert.Identity(Name, ruleSilent, x.Addr.String(), x.Last.Format(time.RFC3339))
	f.Severity = alert.Medium
	f.Title = fmt.Sprintf("%s stopped sending flows at %s", router, detect.Clock(x.Last))
	sees := "It was not seen to report traffic of protected systems."
	if watched > 0 {
		f.Severity = alert.Critical
		sees = fmt.Sprintf("It reported %s of protected systems before; what passes through it now is not watched.", detect.Count(watched, "flow record"))
	}
	f.Summary = fmt.Sprintf("%s has sent nothing for %s, while other routers are heard. %s Either the router or its export is down, or somebody switched the export off.",
		router, detect.Duration(silent), sees)
	f.Reasons = []string{
		fmt.Sprintf("silent for %s; its limit is %s: %g times its usual longest pause of %s, but at least %s",
			detect.Duration(silent), detect.Duration(d.limit(r)), d.cfg.Gaps,
			detect.Duration(time.Duration(r.GapSeconds)*time.Second), detect.Duration(d.cfg.Silence)),
		fmt.Sprintf("it was heard in %d of the ten-second intervals of the %s before", r.Buckets, detect.Duration(d.cfg.History)),
		"other routers were heard meanwhile, so the collector and its network work",
		strings.ToLower(sees[:1]) + strings.TrimSuffix(sees[1:], "."),
	}
	f.NextSteps = []string{
		fmt.Sprintf("See whether %s forwards traffic: its interfaces in the network management, a ping from the management network.", router),
		"If it is down, this is an outage: hand it to network operations.",
		"If it is up, look at its configuration through the console: is the flow export still configured, to this collector, from the same source address? Who changed it, and when?",
		"If nobody changed it on purpose, treat the router as taken over: do not type credentials into it over the network, save its configuration, running processes and logs, and call security.",
		"For planned work, enter a maintenance window in the inventory.",
	}
	f.SQL = evidence(router, "activity.exporter = toIPv6('"+x.Addr.String()+"') AND ", x.Last, f.LastSeen)
}

// allSilent says that no exporter is heard any more.
func (d *Detector) allSilent(f *alert.Finding, s *scene, x exporter, silent time.Duration) {
	f.Rule = ruleAllSilent
	f.ID = alert.Identity(Name, ruleAllSilent, x.Last.Format(time.RFC3339))
	f.Severity = alert.Critical
	f.Asset = alert.Party{}
	f.Title = fmt.Sprintf("No router has sent flows since %s", detect.Clock(x.Last))
	f.Summary = fmt.Sprintf("The collector runs, but for %s nothing came from any of %s. Nothing is watched meanwhile.",
		detect.Duration(silent), detect.Count(uint64(s.count), "router"))
	f.Reasons = []string{
		fmt.Sprintf("%s had been heard in the %s before; the last was %s", detect.Count(uint64(s.count), "router"), detect.Duration(d.cfg.History), f.Exporters[0]),
		fmt.Sprintf("silent for %s, while the collector wrote its own counts", detect.Duration(silent)),
	}
	f.NextSteps = []string{
		"Look at the way to the collector first: its network interface, the firewall or access list before it, its address.",
		"Run tapwatch doctor: it shows what arrives from whom and what is refused.",
		"If datagrams reach the host but not tapwatch, see that collector.listen has the ports that the routers send to.",
		"If the way is fine, somebody may have cut the export on purpose: call security.",
	}
	f.SQL = evidence("each router", "", x.Last, f.LastSeen)
}

// evidence is the query that shows the exporter's last hour.
func evidence(router, who string, last, until time.Time) string {
	const layout = "2006-01-02 15:04:05"
	return strings.NewReplacer(
		"{router}", strings.NewReplacer("*/", " ", "\n", " ").Replace(router), // it stands in a comment
		"{who}", who,
		"{since}", last.Add(-time.Hour).UTC().Format(layout),
		"{until}", until.UTC().Format(layout),
	).Replace(evidenceSQL)
}
