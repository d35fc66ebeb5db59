package scan

import (
	"fmt"
	"net/netip"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
)

// facts are the reasons that all rules have in common.
func (s *scene) facts(x *suspect, targets []*target) []string {
	var all []string
	if n := nobody(targets); n > 0 && n < len(targets) {
		all = append(all, fmt.Sprintf("at %d of these addresses nothing stands: no asset of the inventory owns them", n))
	}
	switch {
	case ownSystem(x) && x.end.Name != "":
		all = append(all, fmt.Sprintf("the source is %s, a protected system of %s: it has no reason to look around", x.end.Name, x.end.Zone))
	case ownSystem(x):
		all = append(all, fmt.Sprintf("the source %s is inside %s, but no asset owns it", x.addr, x.end.Zone))
	case x.end.Zone != "":
		all = append(all, fmt.Sprintf("the source is inside %s", x.end.Zone))
	case onInternet(x):
		all = append(all, "the source is outside all zones, and another attempt of it was let in; those of which none is are told once a day")
	default:
		all = append(all, "the source is outside all zones, and reached what the internet cannot reach")
	}
	if x.sampled {
		all = append(all, "some of it is known from sampled packets alone: there is more of it than was seen")
	}
	return all
}

// finish sets severity, next steps and techniques.
func (s *scene) finish(f *alert.Finding, x *suspect, targets []*target) {
	top := worst(targets)
	if f.Initiator == "asset" { // a device tries systems outside
		f.Asset, f.Peer = detect.PartyOf(&x.end, x.addr), detect.PartyOf(&top.end, top.addr)
	} else {
		f.Asset, f.Peer, f.Initiator = detect.PartyOf(&top.end, top.addr), detect.PartyOf(&x.end, x.addr), "peer"
	}
	f.Severity = detect.Grade(technique(x), top.end.Kind, top.end.Role, f.Confidence)
	f.NextSteps = nextSteps(x)
	f.Techniques = []alert.Technique{detect.NetworkServiceDiscovery}
	switch {
	case onInternet(x):
		f.NextSteps = nextStepsOutside(x, top)
		f.Techniques = []alert.Technique{detect.ActiveScanning}
	case x.end.Zone == "":
		f.NextSteps = nextStepsWithin(x)
	}
}

// nextStepsWithin are those about an address of the internet that reached what the
// internet cannot reach.
func nextStepsWithin(x *suspect) []string {
	return []string{
		fmt.Sprintf("Nobody can be asked: %s is outside all zones, and what it tried has addresses that the internet does not route. Find the router and the interface by which it comes in, and the tunnel, VPN or route behind that.", x.addr),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("Look for sessions of %s that did get through, in the same query and on its other alerts: what it found is where it goes next.", x.addr),
		"Call security at once: somebody outside has a way in. Close it only after they have agreed.",
		fmt.Sprintf("If %s is a network of your own or of a partner, enter it in the inventory as a zone.", x.addr),
	}
}

// nextStepsOutside are those about somebody on the internet, whom nobody can ask.
func nextStepsOutside(x *suspect, top *target) []string {
	whose := "the systems that answered it, which the query shows,"
	if top.end.Name != "" {
		whose = top.end.Name
	}
	return []string{
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("Look there for sessions of %s that did get through. The internet tries every address all day: what was let in counts, not what was tried.", x.addr),
		fmt.Sprintf("Ask whoever runs %s whether what answered is meant to be open to everybody, and whether %s logged in or got more than a greeting.", whose, x.addr),
		"If that is so by mistake, have it closed. If somebody logged in who should not, treat the system as taken over.",
	}
}

func nextSteps(x *suspect) []string {
	name := x.end.Name
	if name == "" {
		name = x.addr.String()
	}
	who := "whoever runs " + name
	if x.end.Zone != "" && x.end.Name == "" {
		who = "whoever runs " + x.end.Zone
	}
	return []string{
		fmt.Sprintf("Call %s, and ask whether a scan, an inventory run or a new monitoring system was planned. Use the phone: mail and chat may be read.", who),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("Look for sessions of %s that did get through, in the same query and on its other alerts: what it found is where it goes next.", name),
		fmt.Sprintf("If it was not planned, treat %s as taken over: use its console, find out who is logged in there and from where, and contain it after security has agreed.", name),
		"If it was planned, add an allow rule for it to the inventory, with an owner and an expiry date, or enter a maintenance window.",
	}
}

// snmpWalk puts an SNMP walk into words.
func (s *scene) snmpWalk(x *walker) alert.Finding {
	var now []*target
	active := map[netip.Addr]bool{}
	for i := range s.sessions {
		if c, ok := contactOf(&s.sessions[i]); ok && c.source == x.addr && s.walks(&c) && !active[c.target] {
			active[c.target] = true
			now = append(now, x.index[c.target])
		}
	}
	f := s.base(&x.suspect, ruleSNMP, now)
	answered := 0
	for _, t := range x.targets {
		if t.outcome == success {
			answered++
		}
	}
	n, most := len(x.targets), x.packets[x.most]
	f.Confidence = 0.7
	if answered > 0 {
		f.Confidence = 0.95
	}
	took, top := detect.Duration(s.cfg.SNMPTime), x.index[x.most]
	busiest := detect.PartyOf(&top.end, top.addr)
	f.Title = fmt.Sprintf("%s asked %s of %s by SNMP within %s and is no manager", x.text(), detect.Count(uint64(n), "device"), zones(x.targets), took)
	if n == 1 {
		f.Title = fmt.Sprintf("%s sent %d packets to %s by SNMP within %s and is no manager", x.text(), most, busiest.Name(), took)
	}
	f.Summary = fmt.Sprintf("%s sent SNMP requests to %s within %s, most of them (%s) to %s; %s answered. It is none of the systems that may ask. Who holds the community reads whole configurations this way, and may change them.",
		x.text(), systems(x.busiest()), took, detect.Count(most, "packet"), busiest.Name(), detect.Count(uint64(answered), "device"))
	f.Reasons = append([]string{
		fmt.Sprintf("%s within %s, %d packets to %s; from who is no manager, %d devices or more than %d packets to one are a walk",
			detect.Count(uint64(n), "device"), took, most, busiest.Name(), s.cfg.SNMPDevices, s.cfg.SNMPPackets),
		"no rule of the inventory and none of its managers' services names the source, and it has no habit of polling",
	}, s.facts(&x.suspect, x.targets)...)
	f.Measures = []alert.Measure{
		{Name: "devices asked by SNMP", Observed: float64(n), Expected: 0, Unit: "hosts"},
		{Name: "packets to one device", Observed: float64(most), Expected: 0, Unit: "packets"},
	}
	s.finish(&f, &x.suspect, x.targets)
	f.Severity = detect.Grade(alert.High, top.end.Kind, top.end.Role, f.Confidence)
	f.Techniques = []alert.Technique{detect.SNMPDump, detect.NetworkServiceDiscovery}
	f.NextSteps[len(f.NextSteps)-1] = "If it is a new manager, add it to the inventory: to the service nms, or with an allow rule for udp/161, with an owner."
	f.NextSteps = append(f.NextSteps, "If a device answered and it was not planned, change its SNMP communities and users, and compare its configuration with the archive.")
	return f
}

// outsideDay puts a day of the internet's scanners into words.
func (s *scene) outsideDay(z *zoneDay) alert.Finding {
	w := detect.Window{Start: s.w.Start.AddDate(0, 0, -1), End: s.w.Start}
	busiest := alert.Party{Addr: z.Busiest.Unmap(), Country: z.Country, ASN: z.ASN}
	var ports []string
	for _, p := range z.Ports {
		ports = append(ports, fmt.Sprint(p))
	}
	f := alert.Finding{
		Detector: Name, Rule: ruleOutside, ID: alert.Identity(Name, ruleOutside, z.Zone), Severity: alert.Low, Confidence: 1,
		WindowStart: s.w.Start, WindowEnd: s.w.End, FirstSeen: z.First.UTC(), LastSeen: z.Last.UTC(),
		Asset: alert.Party{Addr: z.Example.Unmap(), Zone: z.Zone, ZoneKind: z.Kind}, Peer: busiest, Initiator: "peer",
		Flows: z.Flows, BytesToAsset: z.Bytes, Packets: z.Packets, Exporters: []string{}, Quality: []string{},
		Title:      fmt.Sprintf("%s outside scanned %s in a day, and nothing let them in", detect.Count(z.Sources, "system"), z.Zone),
		Techniques: []alert.Technique{detect.ActiveScanning},
	}
	f.Summary = fmt.Sprintf("In the day before %s, %s outside all zones tried systems of %s and got nowhere; the busiest, %s, tried %d. Public addresses are scanned all the time. One alert stands for all of it, and a day adds to it.",
		s.w.Start.Format("2006-01-02"), detect.Count(z.Sources, "system"), z.Zone, detect.PeerText(busiest), z.MostTargets)
	f.Reasons = []string{
		fmt.Sprintf("%s in %s, none of which was answered with more than a refusal", detect.Count(z.Sources, "source"), detect.Count(z.Flows, "flow")),
		fmt.Sprintf("the busiest, %s, tried %s; most tried ports: %s", detect.PeerText(busiest), detect.Count(z.MostTargets, "system"), strings.Join(ports, ", ")),
	}
	f.Measures = []alert.Measure{{Name: "outside systems that scanned", Observed: float64(z.Sources), Unit: "hosts"}}
	f.NextSteps = []string{
		"Nothing is urgent: this is what the internet does to every public address, and nothing let them in.",
		fmt.Sprintf("If %s should not be reachable from outside at all, have the filter at the border checked: these packets passed it.", z.Zone),
		"To be told nothing of it, set detect.scan.outside to silent.",
	}
	f.SQL = detect.EvidenceSQL(w, "What came to "+z.Zone+" from outside all zones",
		fmt.Sprintf("dst_zone = %s AND src_zone = ''", detect.SQLString(z.Zone)))
	return f
}

func routerText(text string, s *scene) string {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	return detect.ExporterText(addr, s.inv.ExporterName)
}

// timesText is how many times, in words where it is more than anybody counts.
func timesText(x float64) string {
	if x >= 1e9 {
		return "more than 1,000,000,000"
	}
	return fmt.Sprintf("%.3g", x)
}
