package scan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
)

// base is what the findings about a suspect have in common: the flows of the window
// between it and the targets. The first target of the window stands for all; the
// suspect is the peer, but where it is a protected system that tries others outside.
func (s *scene) base(x *suspect, rule string, targets []*target) alert.Finding {
	with := map[netip.Addr]bool{}
	for _, t := range targets {
		with[t.addr] = true
	}
	all := detect.Converse(s.sessions, func(c *detect.Session) bool {
		return c.PeerAddr == x.addr && with[c.AssetAddr] || c.AssetAddr == x.addr && with[c.PeerAddr]
	}, true)
	var f alert.Finding
	for i := range all {
		c := &all[i]
		if c.AssetAddr == x.addr && protects(targets, c.PeerAddr) {
			*c = c.Turned()
		}
		one := c.Finding(Name, s.w, s.inv)
		if i == 0 {
			f = one
			continue
		}
		detect.Add(&f, &one)
		if f.Port != one.Port || f.Protocol != one.Protocol {
			f.Protocol, f.Port = 0, 0
		}
	}
	f.Rule, f.ID = rule, alert.Identity(Name, rule, x.addr.String())
	f.SQL = detect.EvidenceSQL(s.w, "What "+x.addr.String()+" exchanged with protected systems",
		fmt.Sprintf("(src_addr = toIPv6('%[1]s') OR dst_addr = toIPv6('%[1]s'))", x.addr))
	return f
}

func protects(targets []*target, addr netip.Addr) bool {
	return slices.ContainsFunc(targets, func(t *target) bool { return t.addr == addr && t.protected })
}

// ownSystem tells whether the source is a protected system itself: one that scans is
// taken over, or somebody works at it.
func ownSystem(x *suspect) bool { return x.end.Protected() }

// onInternet tells whether it is one outside among the public addresses.
func onInternet(x *suspect) bool {
	return x.end.Zone == "" && slices.ContainsFunc(x.targets, func(t *target) bool { return !unreachable(t.addr) })
}

// technique is the severity that the rule gives by itself: high for a protected system,
// and for one outside that reached what the internet cannot.
func technique(x *suspect) alert.Severity {
	if ownSystem(x) || x.end.Zone == "" && !onInternet(x) {
		return alert.High
	}
	return alert.Medium
}

// worst is the target that matters most: of a lawful-intercept zone, then the first.
func worst(targets []*target) *target {
	return slices.MinFunc(targets, func(a, b *target) int {
		return cmp.Or(-cmp.Compare(lawful(a), lawful(b)), a.first.Compare(b.first), a.addr.Compare(b.addr))
	})
}

func lawful(t *target) int {
	if t.end.Kind == "lawful-intercept" {
		return 1
	}
	return 0
}

func (x *suspect) text() string { return detect.PeerText(detect.PartyOf(&x.end, x.addr)) }

// span is how far apart the first contacts are.
func span(targets []*target) time.Duration {
	first, last := targets[0].first, targets[0].first
	for _, t := range targets {
		if t.first.Before(first) {
			first = t.first
		}
		if t.first.After(last) {
			last = t.first
		}
	}
	return last.Sub(first).Truncate(time.Second)
}

// zones names where the targets are: "core-east and routers", "5 zones".
func zones(targets []*target) string {
	var names []string
	for _, t := range targets {
		name := t.end.Zone
		if name == "" {
			name = "the internet"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch len(names) {
	case 1:
		return names[0]
	case 2:
		return names[0] + " and " + names[1]
	default:
		return fmt.Sprintf("%d zones (%s)", len(names), strings.Join(names[:min(len(names), 5)], ", "))
	}
}

// services names what was tried most: "SSH (tcp/22) and 2 other services".
func services(targets []*target) string {
	count := map[string]int{}
	for _, t := range targets {
		count[detect.Service(t.protocol, t.port)]++
	}
	var names []string
	for name := range count {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	if n := len(names) - 1; n > 0 {
		return names[0] + " and " + detect.Count(uint64(n), "other service")
	}
	return names[0]
}

// systems names some of the targets: "hss-1, 10.40.9.1, 10.40.9.2 and 9 others".
func systems(targets []*target) string {
	var names []string
	for _, t := range targets[:min(len(targets), 5)] {
		name := t.end.Name
		if name == "" {
			name = t.addr.String()
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if n := len(targets) - len(names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// nobody counts the targets at which nothing stands.
func nobody(targets []*target) (n int) {
	for _, t := range targets {
		if t.dark {
			n++
		}
	}
	return n
}

// maxSources is how many sources of one unprotected zone, or outside all, have findings of their own in
// a window. An infected crowd of subscribers is one alert.
const maxSources = 3

// fold makes a finding of each suspect, but one of all those of an unprotected zone
// where there are many.
func (s *scene) fold(all []*suspect, make func(*suspect) alert.Finding) []alert.Finding {
	count := map[string]int{}
	for _, x := range all {
		if !ownSystem(x) {
			count[x.end.Zone]++
		}
	}
	var findings []alert.Finding
	crowd := map[string]int{}
	for _, x := range all {
		f := make(x)
		if count[x.end.Zone] <= maxSources || ownSystem(x) {
			findings = append(findings, f)
			continue
		}
		i, begun := crowd[x.end.Zone]
		if !begun {
			crowd[x.end.Zone] = len(findings)
			findings = append(findings, s.crowd(&f, x.end.Zone, count[x.end.Zone]))
			continue
		}
		detect.Add(&findings[i], &f)
	}
	return findings
}

// crowd makes of the first finding of many sources of a zone one of all of them.
func (s *scene) crowd(f *alert.Finding, zone string, sources int) alert.Finding {
	all := *f
	name, inZone := zone, fmt.Sprintf("(src_zone = %[1]s OR dst_zone = %[1]s)", detect.SQLString(zone))
	if zone == "" {
		name = "the internet"
	}
	all.ID = alert.Identity(Name, f.Rule, "zone", zone)
	all.Title = fmt.Sprintf("%d systems of %s look around among protected systems at once", sources, name)
	all.Summary = fmt.Sprintf("%s. One alert stands for all of them; the first is %s. %s", all.Title, f.Peer.Name(), f.Summary)
	if len(all.Summary) > 800 {
		all.Summary = all.Title + ". One alert stands for all of them; its reasons are those of the first."
	}
	all.Reasons = append([]string{fmt.Sprintf("%d sources of %s in one window; what follows is about %s", sources, name, f.Peer.Name())}, f.Reasons...)
	all.NextSteps = append([]string{
		"Many systems at once that nobody watches over are most often infected with the same thing. Call whoever runs " + name + ", or its border.",
	}, f.NextSteps...)
	all.SQL = detect.EvidenceSQL(s.w, "What "+name+" exchanged with protected systems", inZone)
	return all
}
