package device

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

// Hit is a conversation that breaks a rule. Its asset is the end that the alert is
// about.
type Hit struct {
	detect.Conversation
	Rule       string
	Severity   alert.Severity
	Confidence float64
	// Key tells the alerts of the rule apart.
	Key string
}

// Group is the hits of one alert in one window.
type Group struct {
	Rule, Key string
	// Hits are the most severe first, then those with the most bytes.
	Hits []Hit
	// Folded says that it stands for what would be several alerts.
	Folded bool
}

// Gather puts the hits of one rule and key together, and then all groups of a rule that
// share an end (by, as a name of it; empty shares nothing) into one where they are more
// than limit: who sweeps a network must not bury the rest. The order depends on the hits
// alone.
func Gather(hits []Hit, limit int, by ...func(*Hit) string) []Group {
	groups := collect(hits, func(h *Hit) string { return h.Key }, false)
	for _, name := range by {
		groups = crowd(groups, limit, name)
	}
	for i := range groups {
		slices.SortStableFunc(groups[i].Hits, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.BytesIn+b.BytesOut, a.BytesIn+a.BytesOut))
		})
	}
	return groups
}

// collect makes a group of the hits of each rule and key.
func collect(hits []Hit, key func(*Hit) string, folded bool) []Group {
	type id struct{ rule, key string }
	at := map[id]int{}
	var groups []Group
	for i := range hits {
		k := id{hits[i].Rule, key(&hits[i])}
		n, known := at[k]
		if !known {
			n = len(groups)
			at[k] = n
			groups = append(groups, Group{Rule: k.rule, Key: k.key, Folded: folded})
		}
		groups[n].Hits = append(groups[n].Hits, hits[i])
	}
	return groups
}

// crowd folds the groups of which more than limit share what name gives.
func crowd(groups []Group, limit int, name func(*Hit) string) []Group {
	shared := func(h *Hit) string {
		if n := name(h); n != "" {
			return "many\x00" + n
		}
		return ""
	}
	type id struct{ rule, name string }
	count := map[id]int{}
	for i := range groups {
		count[id{groups[i].Rule, shared(&groups[i].Hits[0])}]++
	}
	var alone []Group
	var many []Hit
	for _, g := range groups {
		k := id{g.Rule, shared(&g.Hits[0])}
		if g.Folded || k.name == "" || count[k] <= limit {
			alone = append(alone, g)
			continue
		}
		many = append(many, g.Hits...)
	}
	return append(alone, collect(many, shared, true)...)
}

// Top is the hit that stands for the group.
func (g *Group) Top() *Hit { return &g.Hits[0] }

// Finding is the part of the group's finding that needs no words but its own. Its ends
// are those of the top hit; about says in the query what it shows.
func (g *Group) Finding(detector string, w detect.Window, inv *inventory.Inventory, about string) alert.Finding {
	f := g.hitFinding(0, detector, w, inv)
	for i := 1; i < len(g.Hits); i++ {
		one := g.hitFinding(i, detector, w, inv)
		f.Confidence = max(f.Confidence, one.Confidence)
		detect.Add(&f, &one)
		if one.Protocol != f.Protocol || one.Port != f.Port {
			f.Port = 0
		}
		if one.Protocol != f.Protocol {
			f.Protocol = 0
		}
		if one.Initiator != f.Initiator {
			f.Initiator = ""
		}
	}
	f.Rule = g.Rule
	f.ID = alert.Identity(detector, g.Rule, g.Key)
	f.SQL = detect.EvidenceSQL(w, about, g.condition())
	return f
}

func (g *Group) hitFinding(i int, detector string, w detect.Window, inv *inventory.Inventory) alert.Finding {
	h := &g.Hits[i]
	f := h.Finding(detector, w, inv)
	f.Severity, f.Confidence = h.Severity, h.Confidence
	return f
}

// most is how many addresses and ports a query names at most of each kind.
const most = 200

// condition selects the flow records of the group: of ends and services among many it
// may select a few more.
func (g *Group) condition() string {
	assets := texts(g.Hits, func(h *Hit) string { return "toIPv6('" + h.AssetAddr.String() + "')" })
	peers := texts(g.Hits, func(h *Hit) string { return "toIPv6('" + h.PeerAddr.String() + "')" })
	services := texts(g.Hits, func(h *Hit) string {
		if h.Port == 0 {
			return fmt.Sprintf("protocol = %d", h.Protocol)
		}
		return fmt.Sprintf("protocol = %[1]d AND (src_port = %[2]d OR dst_port = %[2]d)", h.Protocol, h.Port)
	})
	return fmt.Sprintf("((src_addr IN (%[1]s) AND dst_addr IN (%[2]s)) OR (src_addr IN (%[2]s) AND dst_addr IN (%[1]s)))\n    AND (%[3]s)",
		strings.Join(assets, ", "), strings.Join(peers, ", "), strings.Join(services, " OR "))
}

// texts are the different texts of the hits, in their order, at most so many.
func texts(hits []Hit, text func(*Hit) string) []string {
	var all []string
	seen := map[string]bool{}
	for i := range hits {
		if t := text(&hits[i]); !seen[t] && len(all) < most {
			seen[t] = true
			all = append(all, t)
		}
	}
	return all
}

// Assets counts the different assets of the group, Peers the other ends.
func (g *Group) Assets() int {
	return distinct(g.Hits, func(h *Hit) string { return h.Asset().Name() })
}

// Peers counts the different other ends of the group.
func (g *Group) Peers() int { return distinct(g.Hits, func(h *Hit) netip.Addr { return h.PeerAddr }) }

// Services counts the different services of the group.
func (g *Group) Services() int {
	return distinct(g.Hits, func(h *Hit) [2]uint16 { return [2]uint16{uint16(h.Protocol), h.Port} })
}

func distinct[T comparable](hits []Hit, value func(*Hit) T) int {
	seen := map[T]bool{}
	for i := range hits {
		seen[value(&hits[i])] = true
	}
	return len(seen)
}

// Others is " and 3 other devices" for a group of four, and nothing for a group of one.
func Others(n int, thing string) string {
	if n < 2 {
		return ""
	}
	return " and " + detect.Count(uint64(n-1), "other "+thing)
}

// WhereText says where an end is, which the text calls what: "the other end, 192.0.2.7,
// is outside all zones: NL, AS64501 Example VPS".
func WhereText(p alert.Party, what string) string {
	switch {
	case p.Asset != "":
		return fmt.Sprintf("%s is %s (%s), a known system in %s", what, p.Asset, p.Addr, p.Zone)
	case p.Zone != "":
		return fmt.Sprintf("%s, %s, is inside %s, but no asset owns it", what, p.Addr, p.Zone)
	}
	text := fmt.Sprintf("%s, %s, is outside all zones", what, p.Addr)
	if place := detect.PlaceText(p); len(place) > 0 {
		text += ": " + strings.Join(place, ", ")
	}
	return text
}
