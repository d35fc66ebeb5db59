package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// finding puts a sweep into words. The conversation with the most bytes stands for
// the ends; protocol, port and initiator are told where all have the same.
func (s *sweep) finding(w detect.Window, inv *inventory.Inventory) alert.Finding {
	f := s.hits[0].Finding(Name, w, inv)
	f.Severity = s.hits[0].verdict.severity
	for _, h := range s.hits[1:] {
		one := h.Finding(Name, w, inv)
		one.Severity = h.verdict.severity
		detect.Add(&f, &one)
	}
	f.Rule = s.rule
	f.ID = alert.Identity(Name, s.rule, "sweep", s.zone, s.asset, s.peer)
	top := slices.MaxFunc(s.hits, func(a, b hit) int { return cmp.Compare(a.BytesIn+a.BytesOut, b.BytesIn+b.BytesOut) })
	f.Asset, f.Peer = top.Asset(), top.Peer()
	if s.services() > 1 {
		f.Protocol, f.Port = 0, 0
	}
	if slices.ContainsFunc(s.hits, func(h hit) bool { return h.Initiator != f.Initiator }) {
		f.Initiator = ""
	}
	f.Title = s.deed(top) + ", " + s.law()
	f.Summary = fmt.Sprintf("%s. %s went to %s and %s came back, %s. One alert stands for what exceeds %s of rule %s about the same end in a window of %s; those with the most traffic have alerts of their own.",
		f.Title, detect.Bytes(f.BytesToAsset), s.zone, detect.Bytes(f.BytesToPeer), detect.Span(f.FirstSeen, f.LastSeen),
		detect.Count(uint64(s.limit), "finding"), s.rule, detect.Duration(w.End.Sub(w.Start)))
	f.Reasons = append([]string{
		fmt.Sprintf("%s in a window of %s, beyond the %d that have alerts of their own",
			detect.Count(uint64(len(s.hits)), "conversation"), detect.Duration(w.End.Sub(w.Start)), s.limit),
		s.why(),
		s.opened(),
	}, s.talkers()...)
	f.NextSteps = s.nextSteps(top)
	f.SQL = detect.EvidenceSQL(w, "The flow records of "+s.name(top)+", what rules allow included", s.condition(top))
	f.Techniques = append(techniques(top.Conversation), detect.NetworkServiceDiscovery)
	if top.PeerZone == "" && s.asset == "" {
		f.Techniques[len(f.Techniques)-1] = detect.ActiveScanning
	}
	return f
}

// name is the subject in words.
func (s *sweep) name(top hit) string {
	switch {
	case s.asset != "":
		return s.asset + " of " + s.zone
	case s.peer != "":
		return detect.PeerText(top.Peer()) + " with " + s.zone
	default:
		return "addresses of " + s.zone + " that no asset owns"
	}
}

// deed says who talked with how many, without a full stop.
func (s *sweep) deed(top hit) string {
	peers := others(s.hits, func(h hit) netip.Addr { return h.PeerAddr }, detect.PeerText(top.Peer()))
	assets := others(s.hits, func(h hit) netip.Addr { return h.AssetAddr }, top.Asset().Name())
	over := detect.Service(top.Protocol, top.Port)
	if n := s.services() - 1; n > 0 {
		over += " and " + detect.Count(uint64(n), "other service")
	}
	switch {
	case s.asset != "":
		return fmt.Sprintf("%s of %s had traffic with %s over %s", s.asset, s.zone, peers, over)
	case s.peer != "":
		return fmt.Sprintf("%s had traffic with %s of %s over %s", detect.PeerText(top.Peer()), assets, s.zone, over)
	default:
		return fmt.Sprintf("%s of %s that no asset owns had traffic with %s over %s", assets, s.zone, peers, over)
	}
}

// others counts the other ends of the hits; the one that is alone goes by its name.
func others(hits []hit, end func(hit) netip.Addr, name string) string {
	if n := distinct(hits, end); n > 1 {
		return fmt.Sprintf("%d further addresses", n)
	}
	return name
}

// law says what is wrong with all of it.
func (s *sweep) law() string {
	if s.rule == ruleUnlisted {
		return "though no asset owns the end in " + s.zone
	}
	return "which no rule of the inventory allows"
}

// why is law as a reason.
func (s *sweep) why() string {
	switch s.rule {
	case ruleUnlisted:
		return "rules of the inventory allow them, but no asset owns the addresses in " + s.zone
	case ruleUnallocated:
		return "no rule of the inventory allows them, and no asset owns the addresses in " + s.zone
	default:
		return "no rule of the inventory allows them, and " + s.zone + " lets in only what a rule allows"
	}
}

// opened counts who opened the conversations.
func (s *sweep) opened() string {
	by := map[string]int{}
	for _, h := range s.hits {
		by[h.Initiator]++
	}
	var texts []string
	for _, c := range []struct{ initiator, text string }{
		{"asset", "opened from the end in " + s.zone}, {"peer", "opened by the other end"}, {"", "of which the flows do not tell who opened them"},
	} {
		if n := by[c.initiator]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", n, c.text))
		}
	}
	return strings.Join(texts, ", ")
}

// services is how many services the conversations use.
func (s *sweep) services() int {
	return distinct(s.hits, func(h hit) string { return detect.Service(h.Protocol, h.Port) })
}

// topTalkers is how many other ends a sweep names.
const topTalkers = 5

// talkers are the other ends with the most bytes.
func (s *sweep) talkers() []string {
	type talker struct {
		name         string
		bytes, flows uint64
	}
	index := map[string]*talker{}
	var all []*talker
	for _, h := range s.hits {
		name := detect.PeerText(h.Peer())
		if s.asset == "" {
			name = detect.AssetText(h.Asset())
		}
		t := index[name]
		if t == nil {
			t = &talker{name: name}
			index[name], all = t, append(all, t)
		}
		t.bytes, t.flows = t.bytes+h.BytesIn+h.BytesOut, t.flows+h.Flows
	}
	slices.SortStableFunc(all, func(a, b *talker) int { return cmp.Compare(b.bytes, a.bytes) })
	var texts []string
	for _, t := range all[:min(topTalkers, len(all))] {
		texts = append(texts, fmt.Sprintf("with %s: %s in %s", t.name, detect.Bytes(t.bytes), detect.Count(t.flows, "flow")))
	}
	return texts
}

func (s *sweep) nextSteps(top hit) []string {
	steps := []string{
		fmt.Sprintf("Look at the other alerts of the same time first: the %d conversations with the most traffic have their own.", s.limit),
		fmt.Sprintf("Call whoever runs %s, and ask whether a scan, a measurement or a change of addresses was planned. Use the phone: mail and chat may be read.", s.zone),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
	}
	switch {
	case s.rule == ruleUnlisted:
		return append(steps, "If these systems are meant to be there, add them to the inventory as assets of "+s.zone+", with their roles.")
	case s.asset != "":
		return append(steps, fmt.Sprintf("If it was not planned, treat %s as taken over: it may scan, spread or attack others. Use its console, and contain it after security has agreed.", s.asset))
	case s.peer != "" && top.PeerZone == "":
		return append(steps, fmt.Sprintf("If it was not planned, have %s blocked toward %s, after security has agreed: blocking tells the intruder that you know.", s.peer, s.zone))
	default:
		return append(steps, fmt.Sprintf("If it was not planned, find the systems behind these addresses by their switch ports, and treat %s as taken over.", s.name(top)))
	}
}

// condition selects the flow records of the subject.
func (s *sweep) condition(top hit) string {
	zone := detect.SQLString(s.zone)
	switch {
	case s.peer != "":
		return fmt.Sprintf("((src_addr = toIPv6('%[1]s') AND dst_zone = %[2]s) OR (dst_addr = toIPv6('%[1]s') AND src_zone = %[2]s))", s.peer, zone)
	case s.asset != "" && top.AssetName == "":
		return fmt.Sprintf("(src_addr = toIPv6('%[1]s') OR dst_addr = toIPv6('%[1]s'))", s.asset)
	default:
		return fmt.Sprintf("((src_zone = %[1]s AND src_asset = %[2]s) OR (dst_zone = %[1]s AND dst_asset = %[2]s))",
			zone, detect.SQLString(s.asset))
	}
}

// distinct counts different values of the hits.
func distinct[T comparable](hits []hit, value func(hit) T) int {
	seen := map[T]bool{}
	for _, h := range hits {
		seen[value(h)] = true
	}
	return len(seen)
}
