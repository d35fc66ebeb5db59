package intel

import (
	"fmt"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// finding puts a group into words. The top hit stands for the ends.
func (d *Detector) finding(g *group, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.top()
	shown := w
	if g.rule == rulePast {
		shown = g.span()
	}
	f := top.Finding(Name, shown, inv)
	for i := range g.hits {
		if h := &g.hits[i]; h != top {
			one := h.Finding(Name, shown, inv)
			detect.Add(&f, &one)
		}
	}
	f.WindowStart, f.WindowEnd = w.Start, w.End
	f.Rule, f.ID = g.rule, g.identity()
	f.Severity, f.Confidence, f.Measures = top.severity, top.confidence(), top.measures(g.inTime())
	if len(g.hits) > 1 {
		f.SQL = detect.EvidenceSQL(shown, "What "+g.name()+" had with addresses of list "+g.list, g.condition())
	}
	f.Title = g.title(top)
	f.Summary = g.summary(top, &f)
	f.Reasons = d.reasons(g, top, &f)
	f.NextSteps = g.nextSteps(top, inv)
	f.Techniques = d.techniques(top)
	return f
}

// many tells whether the finding is about more than one system and entry.
func (g *group) many() bool { return g.asset == "" || g.indicator == "" }

// span is the time in which the group's flows were seen.
func (g *group) span() detect.Window {
	w := detect.Window{Start: g.hits[0].FirstSeen, End: g.hits[0].LastSeen}
	for i := range g.hits {
		if h := &g.hits[i]; h.FirstSeen.Before(w.Start) {
			w.Start = h.FirstSeen
		}
		if h := &g.hits[i]; h.LastSeen.After(w.End) {
			w.End = h.LastSeen
		}
	}
	w.End = w.End.Add(time.Millisecond)
	return w
}

// listedText says which end is on which list.
func listedText(c *detect.Conversation) string {
	if c.PeerIntel == "" {
		return fmt.Sprintf("%s itself is on intelligence list %s", c.Asset().Name(), listName(c.AssetIntel))
	}
	return fmt.Sprintf("%s is on intelligence list %s", c.PeerAddr, listName(c.PeerIntel))
}

// indicator is the list's entry that matched, as "list:prefix".
func indicator(c *detect.Conversation) string {
	if c.PeerIntel != "" {
		return c.PeerIntel
	}
	return c.AssetIntel
}

// listName is the list of an indicator "list:prefix".
func listName(indicator string) string {
	name, _, _ := strings.Cut(indicator, ":")
	return name
}

// entry is the prefix of an indicator "list:prefix".
func entry(indicator string) string {
	_, prefix, found := strings.Cut(indicator, ":")
	if !found {
		return indicator
	}
	return prefix
}

// name is the group's end inside, in words.
func (g *group) name() string {
	if g.asset != "" {
		return g.asset
	}
	return detect.Count(uint64(g.assets()), "protected system")
}

func (g *group) assets() int {
	return distinct(g.hits, func(h *hit) string { return h.Asset().Name() })
}
func (g *group) entries() int { return distinct(g.hits, func(h *hit) string { return h.indicator }) }

// distinct counts different values of the hits.
func distinct[T comparable](hits []hit, value func(*hit) T) int {
	seen := map[T]bool{}
	for i := range hits {
		seen[value(&hits[i])] = true
	}
	return len(seen)
}

// peersText names the outer ends of a group of many.
func (g *group) peersText() string {
	if g.indicator != "" {
		return entry(g.indicator) + ", of intelligence list " + g.list
	}
	return countEntries(g.entries()) + " of intelligence list " + g.list
}

func (g *group) title(top *hit) string {
	past := ""
	if g.rule == rulePast {
		past = "In the past: "
	}
	if !g.many() {
		return past + top.Deed() + "; " + listedText(top.Conversation)
	}
	verb := "talked with"
	if g.rule == ruleContact {
		verb = "tried to reach"
	}
	name := g.name()
	if g.asset != "" && g.zone != "" {
		name += " of " + g.zone
	}
	return past + name + " " + verb + " " + g.peersText()
}

func (g *group) summary(top *hit, f *alert.Finding) string {
	amounts := fmt.Sprintf("%s went in and %s came out, %s.", detect.Bytes(f.BytesToAsset), detect.Bytes(f.BytesToPeer), detect.Span(f.FirstSeen, f.LastSeen))
	switch {
	case g.rule == rulePast:
		return fmt.Sprintf("%s. This is a match in the past: the list has named it only since %s. %s Whoever was there has had time since.",
			g.title(top), detect.Clock(top.entry.LearnedAt), amounts)
	case g.many():
		return fmt.Sprintf("%s. %s One alert stands for all of them: so many at once are a scan, or a list that is wrong.", g.title(top), amounts)
	case g.rule == ruleContact:
		return fmt.Sprintf("%s. Nobody answered, in %s, %s. %s. A protected system that reaches for a listed address may be controlled from there.",
			top.Deed(), detect.Count(f.Flows, "flow"), detect.Span(f.FirstSeen, f.LastSeen), listedText(top.Conversation))
	default:
		return fmt.Sprintf("%s. Most recently %s went to %s and %s came back, %s. %s.", top.Deed(), detect.Bytes(f.BytesToAsset), top.Asset().Name(),
			detect.Bytes(f.BytesToPeer), detect.Span(f.FirstSeen, f.LastSeen), listedText(top.Conversation))
	}
}

// named is how many of many a reason names.
const named = 5

func (d *Detector) reasons(g *group, top *hit, f *alert.Finding) []string {
	all := []string{fmt.Sprintf("%s: its entry is %s", listedText(top.Conversation), entry(top.indicator))}
	if told := top.entry.told(); told != "" {
		all = append(all, "the list says of it: "+told)
	}
	if g.rule == rulePast {
		all = append(all, fmt.Sprintf("tapwatch learned of it at %s and looked back: it was seen %s", detect.Clock(top.entry.LearnedAt), detect.Span(f.FirstSeen, f.LastSeen)))
	}
	if place := detect.PlaceText(top.Peer()); len(place) > 0 {
		all = append(all, fmt.Sprintf("%s is in %s", top.PeerAddr, strings.Join(place, ", ")))
	}
	if !top.Established {
		all = append(all, fmt.Sprintf("%s asked and nobody answered: %s, in %s", top.Asset().Name(), detect.Bytes(top.BytesOut), detect.Count(top.Flows, "flow")))
	} else {
		all = append(all, top.EvidenceText())
	}
	if d.shipped(top) {
		all = append(all, fmt.Sprintf("%s sent %s there, which is enough to carry data away", top.Asset().Name(), detect.Bytes(top.BytesOut)))
	}
	if top.heavy {
		all = append(all, fmt.Sprintf("%s went between them %s, and %s is much for a listed address", detect.Bytes(top.bytes), g.inTime(), detect.Bytes(d.cfg.HeavyBytes)))
	}
	all = append(all, top.OpenedText())
	if g.many() {
		all = append(all, g.others())
	}
	return all
}

// inTime says of which time the amounts are.
func (g *group) inTime() string {
	if g.rule == rulePast {
		return "in all"
	}
	return "in the last day"
}

// others names some of the entries and systems of a group of many.
func (g *group) others() string {
	texts := map[string]bool{}
	for i := range g.hits {
		h := &g.hits[i]
		texts[h.Asset().Name()+" with "+entry(h.indicator)] = true
	}
	all := sorted(texts)
	if n := len(all) - named; n > 0 {
		all = append(all[:named], fmt.Sprintf("and %d more", n))
	}
	return "they are: " + strings.Join(all, ", ")
}

// shipped tells whether the asset sent enough to call it an exfiltration.
func (d *Detector) shipped(h *hit) bool {
	return h.BytesOut >= d.cfg.ExfiltrationBytes && h.BytesOut > h.BytesIn
}

func (d *Detector) techniques(h *hit) []alert.Technique {
	all := []alert.Technique{detect.VirtualPrivateServer}
	if h.Initiator == "asset" {
		all = append(all, detect.ApplicationLayerProtocol)
	} else {
		all = append(all, detect.ExternalRemoteServices, detect.ValidAccounts)
	}
	if d.shipped(h) {
		all = append(all, detect.ExfiltrationOverC2)
	}
	return all
}
