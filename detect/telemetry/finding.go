package telemetry

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

//go:embed evidence.sql
var evidenceSQL string

// finding is what all findings about a router have in common. since is when what it
// tells began.
func (s *scene) finding(rule string, router netip.Addr, since time.Time) alert.Finding {
	f := alert.Finding{
		Detector:    Name,
		Rule:        rule,
		WindowStart: s.w.Start,
		WindowEnd:   s.w.End,
		FirstSeen:   since,
		LastSeen:    s.now,
		Exporters:   []string{},
		Quality:     []string{},
		Techniques:  []alert.Technique{detect.DisableOrModifyTools},
	}
	if router.IsValid() {
		f.Asset = s.party(router)
		if f.Asset.Asset == "" && s.inv.Listed(router) {
			f.Asset.Asset = s.inv.ExporterName(router)
		}
		f.Exporters = []string{s.router(router)}
	}
	return f
}

func (s *scene) party(addr netip.Addr) alert.Party {
	at := s.inv.Lookup(addr)
	return alert.Party{Addr: addr, Zone: at.Zone, ZoneKind: at.Kind, Asset: at.Asset, Role: at.Role}
}

// router names an exporter as people do.
func (s *scene) router(addr netip.Addr) string { return detect.ExporterText(addr, s.inv.ExporterName) }

// routers names some of them.
func (s *scene) routers(all []string) string {
	var names []string
	for _, text := range all {
		if addr, err := netip.ParseAddr(text); err == nil {
			names = append(names, s.router(addr.Unmap()))
		}
	}
	return listText(names)
}

// listText writes a list, of a long one the beginning.
func listText(names []string) string {
	const most = 5
	slices.Sort(names)
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// The steps that follow most of these alerts.
const (
	stepConsole = "Look at its configuration through the console, not over the network: what was changed, by whom, and when? Compare it with the last saved one."
	stepTaken   = "If nobody changed it on purpose, treat the router as taken over: do not type credentials into it over the network, save its configuration, running processes and logs, and call security."
	stepPlanned = "For planned work, enter a maintenance window in the inventory."
)

const sqlTime = "2006-01-02 15:04:05"

// fill fills in a query that a person may run.
func fill(query string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(query)
}

// comment is text that may stand in a comment of SQL.
func comment(text string) string { return strings.NewReplacer("*/", " ", "\n", " ").Replace(text) }

// evidence is the query that shows what was heard of exporters, from an hour before a
// moment on.
func evidence(router, who string, last, until time.Time) string {
	return fill(evidenceSQL, "{router}", comment(router), "{who}", who,
		"{since}", last.Add(-time.Hour).UTC().Format(sqlTime), "{until}", until.UTC().Format(sqlTime))
}

// only is the condition that selects one exporter.
func only(column string, addr netip.Addr) string {
	return column + " = toIPv6('" + addr.String() + "') AND "
}
