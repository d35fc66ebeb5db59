package geo

import (
	"fmt"
	"slices"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// finding puts the breaches of one key into words. The heaviest stands for the ends.
func finding(k fenceKey, all []breach, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := heaviest(all)
	f := top.Finding(Name, w, inv)
	for i := range all {
		if b := &all[i]; b != top {
			one := b.Finding(Name, w, inv)
			detect.Add(&f, &one)
		}
	}
	f.Rule = ruleFence
	f.ID = alert.Identity(Name, ruleFence, k.fence, k.zone, k.asset, k.place)
	f.Severity, f.Confidence = top.severity, confidence(top)
	f.Measures = []alert.Measure{
		{Name: "exchanged across the fence", Observed: float64(f.BytesToAsset + f.BytesToPeer), Unit: "bytes"},
		{Name: "addresses across the fence", Observed: float64(distinct(all, func(b *breach) string { return b.PeerAddr.String() })), Unit: "hosts"},
	}
	f.Title = title(k, top, all)
	f.Summary = fmt.Sprintf("%s. Fence %s of the inventory does not let that pass: %s. %s went in and %s came out, %s.", strings.TrimSuffix(f.Title, "."),
		k.fence, top.reason, detect.Bytes(f.BytesToAsset), detect.Bytes(f.BytesToPeer), detect.Span(f.FirstSeen, f.LastSeen))
	f.Reasons = reasons(top, all)
	f.NextSteps = nextSteps(top)
	f.Techniques = techniques(top)
	if len(all) > 1 {
		f.SQL = detect.EvidenceSQL(w, "What crossed fence "+k.fence, condition(k, all))
	}
	return f
}

// confidence is how sure it is that the other end is where the geography databases say.
func confidence(b *breach) float64 {
	c := 0.9
	if b.PeerCountry == "" && b.PeerASN == 0 {
		c = 0.6
	}
	if !b.Answered {
		c *= 0.8
	}
	return c
}

func title(k fenceKey, top *breach, all []breach) string {
	if k.asset != "" && len(all) == 1 {
		return fmt.Sprintf("%s, across fence %s", top.Deed(), k.fence)
	}
	who := k.asset + " of " + k.zone
	if k.asset == "" {
		who = detect.Count(uint64(distinct(all, func(b *breach) string { return b.Asset().Name() })), "system")
	}
	where := detect.Count(uint64(distinct(all, func(b *breach) string { return b.PeerAddr.String() })), "address")
	if k.place != "" && k.place != "unknown" {
		where += " in " + k.place
	}
	return fmt.Sprintf("%s talked with %s, across fence %s", who, where, k.fence)
}

func distinct(all []breach, value func(*breach) string) int {
	seen := map[string]bool{}
	for i := range all {
		seen[value(&all[i])] = true
	}
	return len(seen)
}

// named is how many of many a reason names.
const named = 5

func reasons(top *breach, all []breach) []string {
	texts := []string{
		fmt.Sprintf("fence %s: %s", top.fence.Name, top.reason),
		fmt.Sprintf("the other end, %s, is outside all zones: %s", top.PeerAddr, whereText(top.Conversation)),
		top.EvidenceText(), top.OpenedText(),
	}
	if len(all) == 1 {
		return texts
	}
	var others []string
	for i := range all {
		b := &all[i]
		others = append(others, fmt.Sprintf("%s with %s", b.Asset().Name(), detect.PeerText(b.Peer())))
	}
	slices.Sort(others)
	others = slices.Compact(others)
	if n := len(others) - named; n > 0 {
		others = append(others[:named], fmt.Sprintf("and %d more", n))
	}
	return append(texts, "they are: "+strings.Join(others, "; "))
}

func whereText(c *detect.Conversation) string {
	if place := detect.PlaceText(c.Peer()); len(place) > 0 {
		return strings.Join(place, ", ")
	}
	return "the geography databases do not know where"
}

func nextSteps(b *breach) []string {
	who := "whoever runs " + b.AssetZone
	if b.fence.Owner != "" {
		who = b.fence.Owner + " (owner of fence " + b.fence.Name
		if b.fence.Ticket != "" {
			who += ", " + b.fence.Ticket
		}
		who += ")"
	}
	steps := []string{
		fmt.Sprintf("Call %s and ask whether %s has business with %s. Use the phone: mail and chat may be read.", who, b.Asset().Name(), b.PeerAddr),
		fmt.Sprintf("Check the place: look %s up at its registry. Geography databases err, most of all about anycast, satellites and roaming exchanges.", b.PeerAddr),
		"Save the flow records: run the query of this alert and keep its output with the ticket.",
	}
	if b.Initiator == "asset" {
		steps = append(steps, fmt.Sprintf("If nobody knows it, treat %s as taken over: a program on it reached out by itself. Use its console, and keep it running.", b.Asset().Name()))
	} else {
		steps = append(steps, fmt.Sprintf("If nobody knows it, find out who logged in to %s and what was served, and have %s blocked once security has agreed.", b.Asset().Name(), b.PeerAddr))
	}
	return append(steps, "If it is meant to be, it is for the owner to add an allow rule that names this address or service, or to widen the fence.")
}

func techniques(b *breach) []alert.Technique {
	if b.Initiator == "asset" {
		all := []alert.Technique{detect.ApplicationLayerProtocol}
		if b.BytesOut > b.BytesIn {
			all = append(all, detect.ExfiltrationOverAlternativeProtocol)
		}
		return all
	}
	return []alert.Technique{detect.ExternalRemoteServices, detect.ValidAccounts}
}

// mostAddresses is how many addresses a query names.
const mostAddresses = 100

// condition selects the flow records of the breaches.
func condition(k fenceKey, all []breach) string {
	var assets, peers []string
	for i := range all {
		assets = append(assets, detect.SQLString(all[i].Asset().Name()))
		peers = append(peers, fmt.Sprintf("toIPv6('%s')", all[i].PeerAddr))
	}
	return fmt.Sprintf("asset IN (%s)\n    AND peer IN (%s)", list(assets), list(peers))
}

func list(texts []string) string {
	slices.Sort(texts)
	texts = slices.Compact(texts)
	return strings.Join(texts[:min(len(texts), mostAddresses)], ", ")
}
