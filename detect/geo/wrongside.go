package geo

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// side is where packets came in.
type side struct {
	exporter  netip.Addr
	inIf      uint32
	zone      string
	role      string
	zoneKind  string
	asAddress map[netip.Addr]bool
	// top is the session with the most bytes there; source and target are its ends, as
	// the packets have them.
	top                   *detect.Session
	topBytes              uint64
	source, target        alert.Party
	sourcePort            uint16
	flows, bytes, packets uint64
	sampling              uint32
	unsampled, answered   bool
	first, last           time.Time
	targets               map[netip.Addr]bool
}

// wrongSides finds packets from protected zones that came in by interfaces of an outer
// role.
func (d *Detector) wrongSides(sessions []detect.Session, w detect.Window, inv *inventory.Inventory) []alert.Finding {
	type key struct {
		exporter netip.Addr
		inIf     uint32
		zone     string
	}
	protected := map[string]bool{}
	for _, z := range inv.Zones {
		protected[z.Name] = z.Protected
	}
	at := map[key]*side{}
	var order []*side
	for i := range sessions {
		s := &sessions[i]
		for j := range s.Sightings {
			e := &s.Sightings[j]
			source := &s.Asset
			if e.ToAsset {
				source = &s.Peer
			}
			if e.InIf == 0 || !protected[source.Zone] {
				continue
			}
			role, outer := d.outer(e, source.Zone, inv)
			if !outer {
				continue
			}
			k := key{e.Exporter, e.InIf, source.Zone}
			if at[k] == nil {
				at[k] = &side{exporter: e.Exporter, inIf: e.InIf, zone: source.Zone, zoneKind: source.Kind, role: role,
					asAddress: map[netip.Addr]bool{}, targets: map[netip.Addr]bool{}}
				order = append(order, at[k])
			}
			at[k].add(s, e)
		}
	}
	var all []alert.Finding
	for _, s := range order {
		if _, held := inv.UnderMaintenance(s.first, inventory.Subject{Exporter: s.exporter, Zone: s.zone}); !held {
			all = append(all, s.finding(w, inv))
		}
	}
	slices.SortStableFunc(all, func(a, b alert.Finding) int { return strings.Compare(a.Title, b.Title) })
	return all
}

// outer tells whether the interface leads out of the network, and the zone does not hang
// on it.
func (d *Detector) outer(e *detect.SessionSighting, zone string, inv *inventory.Inventory) (role string, ok bool) {
	router, listed := inv.Exporter(e.Exporter)
	if !listed {
		return "", false
	}
	role = router.InterfaceRole(e.InIf)
	return role, slices.Contains(d.cfg.OuterRoles, role) && !router.Attaches(zone, e.InIf)
}

// add adds what the router saw of a session there.
func (s *side) add(c *detect.Session, e *detect.SessionSighting) {
	source, target := detect.PartyOf(&c.Asset, c.AssetAddr), detect.PartyOf(&c.Peer, c.PeerAddr)
	if e.ToAsset {
		source, target = target, source
	}
	if s.top == nil || e.Bytes > s.topBytes {
		s.top, s.topBytes, s.source, s.target = c, e.Bytes, source, target
	}
	s.asAddress[source.Addr], s.targets[target.Addr] = true, true
	s.flows, s.bytes, s.packets = s.flows+e.Flows, s.bytes+e.Bytes, s.packets+e.Packets
	s.sampling, s.unsampled = max(s.sampling, e.Sampling), s.unsampled || e.Sampling == 0
	s.answered = s.answered || c.Answered
	if s.first.IsZero() || c.FirstSeen.Before(s.first) {
		s.first = c.FirstSeen
	}
	if c.LastSeen.After(s.last) {
		s.last = c.LastSeen
	}
}

// finding puts it into words. The end that the packets claim to come from is the asset.
func (s *side) finding(w detect.Window, inv *inventory.Inventory) alert.Finding {
	router := detect.ExporterText(s.exporter, inv.ExporterName)
	f := alert.Finding{
		ID:       alert.Identity(Name, ruleWrongSide, s.exporter.String(), fmt.Sprint(s.inIf), s.zone),
		Detector: Name, Rule: ruleWrongSide, WindowStart: w.Start, WindowEnd: w.End, FirstSeen: s.first, LastSeen: s.last,
		Severity: severityOf(s.zoneKind), Confidence: 0.8, Asset: s.source, Peer: s.target, Initiator: "asset",
		Protocol: s.top.Protocol, Port: s.top.Port, Flows: s.flows, BytesToPeer: s.bytes, Packets: s.packets,
		Exporters: []string{router}, Quality: s.quality(router),
		Sightings: []alert.Sighting{{Exporter: router, Sampling: s.sampling, Flows: s.flows, BytesToPeer: s.bytes, Packets: s.packets}},
		Measures: []alert.Measure{
			{Name: "packets from " + s.zone + " by this interface", Observed: float64(s.packets), Unit: "packets"},
			{Name: "sources of " + s.zone + " by this interface", Observed: float64(len(s.asAddress)), Unit: "hosts"},
		},
		Techniques: []alert.Technique{detect.NetworkBoundaryBridging, detect.TrustedRelationship},
	}
	if s.answered {
		f.Confidence = 0.95
	}
	f.Title = fmt.Sprintf("%s took in packets from addresses of zone %s by its %s interface %d", router, s.zone, s.role, s.inIf)
	f.Summary = fmt.Sprintf("%s. They claim to be from %s and went to %s, %s in %s, %s. Zone %s is inside the network and does not hang on this interface: the packets are forged, or a route leads astray.",
		f.Title, s.source.Name(), s.target.Name(), detect.Bytes(s.bytes), detect.Count(s.packets, "packet"), detect.Span(s.first, s.last), s.zone)
	f.Reasons = []string{
		fmt.Sprintf("the inventory gives interface %d of %s the role %s, and attaches no %s to it", s.inIf, router, s.role, s.zone),
		fmt.Sprintf("%s of %s came in there, to %s, in %s", detect.Count(uint64(len(s.asAddress)), "source address"), s.zone,
			detect.Count(uint64(len(s.targets)), "address"), detect.Count(s.flows, "flow")),
		fmt.Sprintf("most of it is %s from %s to %s", detect.Service(s.top.Protocol, s.top.Port), detect.AssetText(s.source), detect.PeerText(s.target)),
		s.answerText(),
	}
	f.NextSteps = []string{
		fmt.Sprintf("Look at interface %d of %s: which neighbour is it, and does it filter sources (uRPF, BCP 38)? A filter there stops this.", s.inIf, router),
		fmt.Sprintf("Look at the routing table for %s: does a more specific route to it point out by this interface, or does a neighbour announce it? Call the neighbour's NOC.", s.source.Addr),
		"If replies went back, somebody outside uses the address: treat the systems that answered as reached by an intruder, and look for configured tunnels and static routes on the router, through its console.",
		"Save the flow records: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("If %s is meant to hang there, list it: exporters[].attached in the inventory. Networks of links to peers belong into a zone of their own.", s.zone),
	}
	f.SQL = detect.EvidenceSQL(w, fmt.Sprintf("Packets from %s that came in by interface %d", s.zone, s.inIf),
		fmt.Sprintf("exporter = toIPv6('%s') AND in_if = %d AND src_zone = %s", s.exporter, s.inIf, detect.SQLString(s.zone)))
	return f
}

func (s *side) answerText() string {
	if s.answered {
		return "both sides took part: it is no mere forgery, somebody outside uses an address of " + s.zone
	}
	return "no answer was seen: the sources may be forged, as in attacks that hide who sends them"
}

func (s *side) quality(router string) []string {
	notes := []string{}
	if s.sampling > 1 {
		notes = append(notes, fmt.Sprintf("packets are sampled, 1 of %d: amounts are estimates", s.sampling))
	}
	if s.unsampled {
		notes = append(notes, router+" has not said its sampling interval: its amounts are as exported and may be too low")
	}
	return append(notes, "one router reports it: that it came in there is its word")
}
