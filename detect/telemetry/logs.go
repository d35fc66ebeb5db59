package telemetry

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

//go:embed logevidence.sql
var logEvidenceSQL string

// logStill is how long a log must be still at least: below, records of one export
// interval may be outstanding.
const logStill = 5 * time.Minute

// logTexts name the kinds of logs.
var logTexts = map[string]string{"syslog": "syslog", "snmp-trap": "SNMP traps", "accounting": "accounting records"}

// stillLog is a system that sends no logs any more.
type stillLog struct {
	deviceLog
	stillness
	servers []netip.Addr // to whom it sent them
	// rest is in how many minutes since it was seen to send something else, restUsual how
	// many are usual.
	rest, restUsual float64
	// stray is whom it sends them to now that the inventory does not know.
	stray netip.Addr
}

// unlogged judges which systems that used to send logs do not any more, while the rest
// of what they send goes on.
func (d *Detector) unlogged(_ context.Context, s *scene) (findings []alert.Finding, err error) {
	now := minuteOf(s.now)
	servers := map[deviceLog]bool{} // the servers of which was told that nobody sends to them
	for _, key := range s.logs() {
		ways := s.devices[key]
		x, is := d.stillLog(s, key, ways, now)
		if !is {
			if f, ok := d.loggedAgain(s, key, ways, now); ok {
				findings = append(findings, f)
			}
			continue
		}
		before, was := d.stillLog(s, key, ways, now-1)
		if s.heldDevice(key.device, s.now) || was && !s.heldDevice(key.device, s.now.Add(-every)) && !x.repeats(d.cfg.Repeat) && !(x.long() && !before.long()) {
			continue
		}
		if server, others, expected := d.deaf(s, &x); server.IsValid() {
			if told := (deviceLog{server, key.log}); !servers[told] {
				servers[told] = true
				findings = append(findings, d.serverFinding(s, &x, server, others, expected))
			}
			continue
		}
		findings = append(findings, d.logFinding(s, &x))
	}
	return findings, nil
}

// long tells whether it is still for half as long again as its own pauses allow: what was
// never still for so long may be still a little longer by itself.
func (x *stillLog) long() bool { return 2*x.heard >= 3*x.limit }

// logs are all logs of systems, in order.
func (p *past) logs() (keys []deviceLog) {
	for key := range p.devices {
		if key.log != none {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b deviceLog) int { return cmp.Or(a.device.Compare(b.device), cmp.Compare(a.log, b.log)) })
	return keys
}

// heldDevice tells whether a maintenance window holds alerts about the system back.
func (s *scene) heldDevice(addr netip.Addr, at time.Time) bool {
	e := s.inv.Lookup(addr)
	_, held := s.inv.UnderMaintenance(at, inventory.Subject{Exporter: addr, Zone: e.Zone, Asset: e.Asset})
	return held
}

// known tells whether a server is one of the carrier's: in a zone or in a service of the
// inventory.
func (s *scene) known(server netip.Addr) bool {
	if s.inv.Lookup(server).Zone != "" {
		return true
	}
	for _, service := range s.inv.Services {
		for _, p := range service.Prefixes {
			if p.Contains(server) {
				return true
			}
		}
	}
	return false
}

// stillLog tells whether the logs of a system are missing at the beginning of the
// minute, while the rest of what it sends goes on. What it sends to a server that is
// not the carrier's does not count: it may be an intruder's.
func (d *Detector) stillLog(s *scene, key deviceLog, ways paths, now int64) (x stillLog, is bool) {
	var uses []use
	for _, way := range ways.sorted() {
		if one := ways[way]; s.known(way.server) {
			uses = append(uses, use{one, way.exporter})
			if !slices.Contains(x.servers, way.server) {
				x.servers = append(x.servers, way.server)
			}
		}
	}
	x.deviceLog = key
	if x.stillness, is = d.still(s.past, uses, now, logStill); !is {
		return x, false
	}
	slices.SortFunc(x.servers, netip.Addr.Compare)
	for way, one := range ways {
		if !s.known(way.server) && one.active(x.last+1, now) > 0 && (!x.stray.IsValid() || way.server.Less(x.stray)) {
			x.stray = way.server
		}
	}
	x.rest, x.restUsual = d.rest(s.past, key.device, x.last+1, now)
	return x, x.rest >= 3 && x.rest >= 0.3*x.restUsual
}

// rest is in how many minutes from a up to b the system was seen to send what is no log,
// and in how many it usually is at the same time of the days before, by the same routers.
func (d *Detector) rest(p *past, device netip.Addr, a, b int64) (seen, usual float64) {
	ways := p.devices[deviceLog{device, none}]
	for _, way := range ways.sorted() {
		one := ways[way]
		heard := p.listened(way.exporter, a, b)
		if heard == 0 {
			continue
		}
		seen += float64(one.active(a, b))
		var days, sum float64
		for k := int64(1); k*minutesOfDay <= int64(d.cfg.Habits/time.Minute); k++ {
			if n := one.active(a-k*minutesOfDay, b-k*minutesOfDay); b-k*minutesOfDay <= a && n > 0 {
				days++
				sum += float64(n) * scale(p.samplingThen(way.exporter, a/60-24*k), p.sampling(way.exporter, a, b))
			}
		}
		if days > 0 {
			usual += heard * sum / days
		}
	}
	return seen, usual
}

// deaf tells whether the server of the silent logs is seen to get none from anybody,
// though enough were to be expected from others: then it is up to the server or the
// way to it. others is how many systems usually send to it.
func (d *Detector) deaf(s *scene, x *stillLog) (server netip.Addr, others int, expected float64) {
	for _, key := range s.logs() {
		if key.log != x.log || key.device == x.device {
			continue
		}
		var uses []use
		ways := s.devices[key]
		for _, way := range ways.sorted() {
			if !slices.Contains(x.servers, way.server) {
				continue
			}
			one := ways[way]
			if one.active(x.last+1, x.until) > 0 {
				return netip.Addr{}, 0, 0 // it gets some
			}
			uses = append(uses, use{one, way.exporter})
		}
		if n, _ := d.expected(s.past, uses, x.last+1, x.until); n > 0 {
			others++
			expected += n
		}
	}
	if expected < d.cfg.Expected || len(x.servers) == 0 {
		return netip.Addr{}, 0, 0
	}
	return x.servers[0], others, expected
}

func (s *scene) logID(x *stillLog) string {
	return alert.Identity(Name, ruleLogs, x.device.String(), x.log, x.lastSeen().Format(time.RFC3339))
}

// system names a device.
func (s *scene) system(addr netip.Addr) string {
	p := s.party(addr)
	if p.Asset == "" {
		return addr.String()
	}
	return p.Asset + " (" + addr.String() + ")"
}

func (s *scene) systems(all []netip.Addr) string {
	names := make([]string, len(all))
	for i, addr := range all {
		names[i] = s.system(addr)
	}
	return listText(names)
}

// logBase is what the findings about logs have in common.
func (s *scene) logBase(rule string, x *stillLog) alert.Finding {
	f := s.finding(rule, netip.Addr{}, x.lastSeen())
	f.Asset = s.party(x.device)
	f.Techniques = append(f.Techniques, detect.IndicatorRemoval)
	for way := range s.devices[x.deviceLog] {
		if name := s.router(way.exporter); !slices.Contains(f.Exporters, name) {
			f.Exporters = append(f.Exporters, name)
		}
	}
	slices.Sort(f.Exporters)
	f.SQL = fill(logEvidenceSQL, "{device}", comment(s.system(x.device)), "{who}", only("d.device", x.device),
		"{since}", x.lastSeen().Add(-2*time.Hour).Format(sqlTime), "{until}", s.now.Format(sqlTime))
	return f
}

func (d *Detector) logFinding(s *scene, x *stillLog) alert.Finding {
	f := s.logBase(ruleLogs, x)
	what, name := logTexts[x.log], s.system(x.device)
	f.ID, f.Severity, f.Confidence = s.logID(x), alert.High, 0.85
	if !x.long() {
		f.Severity, f.Confidence = alert.Medium, 0.6
	}
	if len(x.servers) == 1 {
		f.Peer = s.party(x.servers[0])
	}
	f.Title = fmt.Sprintf("%s sends no %s any more since %s", name, what, detect.Clock(x.lastSeen()))
	f.Summary = fmt.Sprintf("Nothing of the %s of %s is seen on its way to %s for %s, while the rest of what it sends goes on. Either logging was switched off or diverted, or these packets take another way.",
		what, name, s.systems(x.servers), detect.Duration(x.duration()))
	f.Reasons = []string{
		fmt.Sprintf("no flow in %s; %.0f were to be expected by the same hours of %s before", detect.Duration(x.duration()), x.expected, detect.Count(uint64(x.days), "day")),
		fmt.Sprintf("by its own pauses it may be still for %s", detect.Duration(time.Duration(x.limit)*time.Minute)),
		fmt.Sprintf("it was seen to send other things in %.0f minutes meanwhile, where %.0f are usual", x.rest, x.restUsual),
	}
	if x.stray.IsValid() {
		f.Severity, f.Confidence = alert.Critical, 0.95
		f.Peer = s.party(x.stray)
		f.Summary = fmt.Sprintf("%s sends its %s to %s now, which the inventory does not know, and none to %s any more.", name, what, x.stray, s.systems(x.servers))
		f.Reasons = append([]string{fmt.Sprintf("it sends %s to %s, an address that is in no zone and no service of the inventory", what, x.stray)}, f.Reasons...)
	}
	f.Measures = []alert.Measure{
		{Name: "flows of " + what, Observed: 0, Expected: x.expected, Unit: "flows"},
		{Name: "still for", Observed: x.duration().Seconds(), Expected: float64(x.limit) * 60, Unit: "seconds"},
		{Name: "minutes with other traffic", Observed: x.rest, Expected: x.restUsual, Unit: "minutes"},
	}
	f.Quality = append(f.Quality, s.sampledNote(x)...)
	f.NextSteps = []string{
		fmt.Sprintf("See on the log server when %s was last heard, and what its last entries were: a login, a change of configuration.", name),
		fmt.Sprintf("Look at the logging configuration of %s through the console, not over the network: servers, filters, source address. Who changed it, and when?", name),
		"If nobody changed it on purpose, treat the system as taken over: save its configuration, running processes and local logs before they are overwritten, and call security.",
		stepPlanned,
	}
	return f
}

// sampledNote says which routers that saw the logs sample.
func (s *scene) sampledNote(x *stillLog) (notes []string) {
	for way := range s.devices[x.deviceLog] {
		if n := s.sampling(way.exporter, x.until-60, x.until); n > 1 {
			note := fmt.Sprintf("%s samples 1 of %d packets: expected flows are those it would show", s.router(way.exporter), n)
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	slices.Sort(notes)
	return notes
}

// serverFinding says that nobody's logs reach a server any more.
func (d *Detector) serverFinding(s *scene, x *stillLog, server netip.Addr, others int, expected float64) alert.Finding {
	f := s.logBase(ruleServer, x)
	what, name := logTexts[x.log], s.system(server)
	f.ID = alert.Identity(Name, ruleServer, server.String(), x.log, x.lastSeen().Format(time.DateOnly))
	f.Severity, f.Confidence, f.Asset, f.Peer = alert.Medium, 0.8, s.party(server), alert.Party{}
	f.Title = fmt.Sprintf("No system's %s reach %s any more", what, name)
	if x.log == "syslog" {
		f.Title = fmt.Sprintf("No system's syslog reaches %s any more", name)
	}
	f.Summary = fmt.Sprintf("Nothing of the %s of %s is seen on its way to %s since %s. That all stop at once points to the server, its line or a filter on the way.",
		what, detect.Count(uint64(others+1), "system"), name, detect.Clock(x.lastSeen()))
	f.Reasons = []string{
		fmt.Sprintf("no flow from %s in %s, where %.0f were to be expected from %d others and %.0f from %s", detect.Count(uint64(others+1), "system"),
			detect.Duration(x.duration()), expected, others, x.expected, s.system(x.device)),
		fmt.Sprintf("%s was seen to send other things in %.0f minutes meanwhile, where %.0f are usual", s.system(x.device), x.rest, x.restUsual),
	}
	f.Measures = []alert.Measure{{Name: "flows of " + what, Observed: 0, Expected: expected + x.expected, Unit: "flows"}}
	f.NextSteps = []string{
		fmt.Sprintf("See whether %s runs and receives. If it is down, hand it to its owner; logs of this time may be lost.", name),
		"If it runs: what filters were changed on the way to it, by whom, and when?",
		"Until it works, read logs on the systems themselves: somebody may use this time. " + stepPlanned,
	}
	f.SQL = fill(logEvidenceSQL, "{device}", comment("each system"), "{who}", "d.server = toIPv6('"+server.String()+"') AND ",
		"{since}", x.lastSeen().Add(-2*time.Hour).Format(sqlTime), "{until}", s.now.Format(sqlTime))
	return f
}

// loggedAgain says that logs that were reported as missing are seen again since the
// last minute.
func (d *Detector) loggedAgain(s *scene, key deviceLog, ways paths, now int64) (f alert.Finding, is bool) {
	seen := false
	for way, one := range ways {
		seen = seen || s.known(way.server) && one.active(now-1, now) > 0
	}
	if !seen {
		return f, false
	}
	x, was := d.stillLog(s, key, ways, now-1)
	if !was || s.heldDevice(key.device, s.now.Add(-every)) {
		return f, false
	}
	if server, _, _ := d.deaf(s, &x); server.IsValid() {
		return f, false
	}
	f = s.logBase(ruleLogs, &x)
	what, name := logTexts[x.log], s.system(x.device)
	f.ID, f.Severity, f.Confidence = s.logID(&x), alert.Low, 0.95
	f.Title = fmt.Sprintf("%s sends %s again: none were seen since %s", name, what, detect.Clock(x.lastSeen()))
	f.Summary = fmt.Sprintf("%s sends %s again, after %s without any. What happened meanwhile may not be in any log.", name, what, detect.Duration(x.duration()))
	f.Reasons = []string{
		fmt.Sprintf("no flow from %s to %s; %.0f were to be expected", detect.Clock(x.lastSeen()), detect.Clock(atMinute(now-1)), x.expected),
		fmt.Sprintf("seen again in the minute from %s", detect.Clock(atMinute(now-1))),
	}
	f.Measures = []alert.Measure{{Name: "still for", Observed: x.duration().Seconds(), Expected: float64(x.limit) * 60, Unit: "seconds"}}
	f.NextSteps = []string{
		fmt.Sprintf("Ask who worked on %s. If nobody did, call security, and look at what others saw of it meanwhile.", name),
		"See on the log server whether entries of that time came late: a gap in the log is evidence by itself.",
	}
	return f, true
}
