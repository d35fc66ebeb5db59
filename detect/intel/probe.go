package intel

import (
	"fmt"
	"net/netip"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// probe is what the addresses of one list tried on one zone in a window.
type probe struct {
	list, zone string
	// most is the conversation with the most flows; it stands for the rest.
	most           detect.Conversation
	total          detect.Conversation
	targets, peers map[netip.Addr]bool
	services       map[string]bool
	entries        map[string]bool
}

// probes folds unanswered attempts, in the order in which they come.
type probes struct {
	byKey map[[2]string]*probe
	order []*probe
}

func newProbes() *probes { return &probes{byKey: map[[2]string]*probe{}} }

func (p *probes) add(c *detect.Conversation) {
	key := [2]string{listName(indicator(c)), c.AssetZone}
	b := p.byKey[key]
	if b == nil {
		b = &probe{list: key[0], zone: key[1], most: *c, total: *c,
			targets: map[netip.Addr]bool{}, peers: map[netip.Addr]bool{}, services: map[string]bool{}, entries: map[string]bool{}}
		p.byKey[key] = b
		p.order = append(p.order, b)
	} else {
		b.count(c)
	}
	b.targets[c.AssetAddr], b.peers[c.PeerAddr] = true, true
	b.services[detect.Service(c.Protocol, c.Port)] = true
	b.entries[entry(indicator(c))] = true
}

func (b *probe) count(c *detect.Conversation) {
	if c.Flows > b.most.Flows {
		b.most = *c
	}
	t := &b.total
	t.Flows += c.Flows
	t.BytesIn += c.BytesIn
	t.BytesOut += c.BytesOut
	t.Packets += c.Packets
	if c.FirstSeen.Before(t.FirstSeen) {
		t.FirstSeen = c.FirstSeen
	}
	if c.LastSeen.After(t.LastSeen) {
		t.LastSeen = c.LastSeen
	}
	t.Exporters = detect.Union(t.Exporters, c.Exporters, netip.Addr.Compare)
	t.Unsampled = detect.Union(t.Unsampled, c.Unsampled, netip.Addr.Compare)
	t.Sampling = max(t.Sampling, c.Sampling)
}

func (p *probes) findings(w detect.Window, inv *inventory.Inventory) []alert.Finding {
	var all []alert.Finding
	for _, b := range p.order {
		all = append(all, b.finding(w, inv))
	}
	return all
}

func (b *probe) finding(w detect.Window, inv *inventory.Inventory) alert.Finding {
	f := b.total.Finding(Name, w, inv)
	f.Rule = ruleProbe
	f.ID = alert.Identity(Name, ruleProbe, b.list, b.zone)
	f.Severity = alert.Low
	f.Asset, f.Peer, f.Initiator = b.most.Asset(), b.most.Peer(), "peer"
	f.Protocol, f.Port = b.most.Protocol, b.most.Port
	f.SQL = b.sql(w)
	f.Confidence = 0.5
	f.Measures = []alert.Measure{
		{Name: "listed addresses that tried", Observed: float64(len(b.peers)), Unit: "hosts"},
		{Name: "systems that were tried", Observed: float64(len(b.targets)), Unit: "hosts"},
	}
	who := detect.PeerText(f.Peer) + ", on intelligence list " + b.list + ","
	if n := len(b.peers); n > 1 {
		who = detect.Count(uint64(n), "address") + " of intelligence list " + b.list
	}
	f.Title = fmt.Sprintf("%s probed %s and got no answer", who, b.zone)
	f.Summary = fmt.Sprintf("%s tried %s on %s of %s, in %s, %s. Nothing answered. One alert stands for all probes of this list toward this zone.",
		strings.TrimSuffix(who, ","), b.servicesText(), detect.Count(uint64(len(b.targets)), "system"), b.zone,
		detect.Count(f.Flows, "flow"), detect.Span(f.FirstSeen, f.LastSeen))
	f.Reasons = []string{
		fmt.Sprintf("%s is on intelligence list %s: its entry is %s", f.Peer.Addr, b.list, entry(indicator(&b.most))),
		fmt.Sprintf("%s, from %s by %s, at %s", detect.Count(f.Flows, "flow"), detect.Count(uint64(len(b.peers)), "listed address"),
			countEntries(len(b.entries)), b.servicesText()),
		"no answer: it did not get in this way",
	}
	f.NextSteps = []string{
		"Nothing is urgent: lists hold many scanners, and nobody answered this one.",
		fmt.Sprintf("If %s should not be reachable from there at all, have the filter at the border checked: these packets passed it.", b.zone),
		"Watch for an alert of rule " + ruleConversation + " about the same address: that would mean that something answered.",
	}
	f.Techniques = []alert.Technique{detect.ActiveScanning, detect.VirtualPrivateServer}
	return f
}

// servicesText names the service that was probed most, and how many others.
func (b *probe) servicesText() string {
	first := detect.Service(b.most.Protocol, b.most.Port)
	if others := len(b.services) - 1; others > 0 {
		return fmt.Sprintf("%s and %s", first, detect.Count(uint64(others), "other service"))
	}
	return first
}

func (b *probe) sql(w detect.Window) string {
	which := strings.NewReplacer(
		"{list}", detect.SQLString(b.list+":"),
		"{zone}", detect.SQLString(b.zone),
	).Replace("((startsWith(src_intel, {list}) AND dst_zone = {zone}) OR (startsWith(dst_intel, {list}) AND src_zone = {zone}))")
	return detect.EvidenceSQL(w, "What addresses of an intelligence list and a zone exchanged", which)
}

func countEntries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
