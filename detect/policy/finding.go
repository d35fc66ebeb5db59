package policy

import (
	"fmt"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// finding puts a verdict into words.
func finding(c *detect.Conversation, v verdict, w detect.Window, inv *inventory.Inventory) alert.Finding {
	f := c.Finding(Name, w, inv)
	f.Rule = v.rule
	f.ID = c.Identity(Name, v.rule)
	f.Severity, f.Confidence = v.severity, confidence(c)
	f.Measures = []alert.Measure{{Name: "carried both ways", Observed: float64(c.BytesIn + c.BytesOut), Unit: "bytes"}}
	f.Title = c.Deed()
	f.Summary = summary(c, v)
	misses := inv.Explain(v.asked)
	f.Reasons = reasons(c, v, misses)
	f.NextSteps = nextSteps(c, v, owners(append(misses, "rule "+v.allowedBy+" allows it"), inv))
	f.Techniques = techniques(c)
	return f
}

func summary(c *detect.Conversation, v verdict) string {
	amounts := fmt.Sprintf("Most recently %s went to %s and %s came back, %s.",
		detect.Bytes(c.BytesIn), c.Asset().Name(), detect.Bytes(c.BytesOut), detect.Span(c.FirstSeen, c.LastSeen))
	law := fmt.Sprintf("%s is a lawful-intercept zone: nothing may talk with it unless a rule of the inventory allows it, and none does.", c.AssetZone)
	switch v.rule {
	case ruleUnallocated:
		law = fmt.Sprintf("No asset of the inventory owns %s, so nothing should answer there. ", c.AssetAddr) + law
	case ruleUnlisted:
		law = fmt.Sprintf("Rule %s allows it, but no asset of the inventory owns %s: a system is in %s that nobody entered.",
			v.allowedBy, c.AssetAddr, c.AssetZone)
	}
	return c.Deed() + ". " + amounts + " " + law
}

func reasons(c *detect.Conversation, v verdict, misses []string) []string {
	var all []string
	switch v.rule {
	case ruleNotAllowed:
		all = append(all, "no rule of the inventory allows it, and "+c.AssetZone+" lets in only what a rule allows")
	case ruleUnallocated:
		all = append(all, fmt.Sprintf("%s belongs to %s, but no asset owns it", c.AssetAddr, c.AssetZone), "no rule of the inventory allows it")
	case ruleUnlisted:
		all = append(all, fmt.Sprintf("%s belongs to %s, but no asset owns it; rule %s allows the traffic", c.AssetAddr, c.AssetZone, v.allowedBy))
	}
	all = append(all, whereFrom(c))
	if c.PeerIntel != "" {
		all = append(all, "the other end is on an intelligence list: "+c.PeerIntel)
	}
	all = append(all, c.EvidenceText(), c.OpenedText())
	for _, m := range misses {
		all = append(all, "nearest: "+m)
	}
	return all
}

// whereFrom says how near the other end is.
func whereFrom(c *detect.Conversation) string {
	peer := c.Peer()
	switch {
	case peer.Asset != "":
		return fmt.Sprintf("the other end is %s, a known system in %s", peer.Asset, peer.Zone)
	case peer.Zone != "":
		return fmt.Sprintf("the other end, %s, is inside %s, but no asset owns it", peer.Addr, peer.Zone)
	}
	if place := detect.PlaceText(peer); len(place) > 0 {
		return fmt.Sprintf("the other end, %s, is outside all zones: %s", peer.Addr, strings.Join(place, ", "))
	}
	return fmt.Sprintf("the other end, %s, is outside all zones", peer.Addr)
}

// owners are who to ask: of the rules that allow it or came nearest, "li-operations
// (owner of rule x1-tasking, CHG-1001)", each owner once.
func owners(misses []string, inv *inventory.Inventory) []string {
	var all []string
	seen := map[string]bool{}
	for _, m := range misses {
		for i := range inv.Allow {
			r := &inv.Allow[i]
			if !strings.HasPrefix(m, "rule "+r.Name+" ") || r.Owner == "" || seen[r.Owner] {
				continue
			}
			seen[r.Owner] = true
			source := "owner of rule " + r.Name
			if r.Ticket != "" {
				source += ", " + r.Ticket
			}
			all = append(all, fmt.Sprintf("%s (%s)", r.Owner, source))
		}
	}
	return all
}

func nextSteps(c *detect.Conversation, v verdict, owners []string) []string {
	asset, peer := c.Asset().Name(), c.Peer().Name()
	steps := []string{"Call whoever runs " + c.AssetZone + ", and ask whether this was planned. Use the phone: mail and chat may be read."}
	if len(owners) > 0 {
		steps = append(steps, "The rules that come nearest are those of "+strings.Join(owners, ", ")+": they may know of a change.")
	}
	if v.rule == ruleUnlisted {
		return append(steps, fmt.Sprintf("If %s is meant to be there, add it to the inventory as an asset of %s, with its role.", c.AssetAddr, c.AssetZone),
			"If nobody knows it, find its switch port and treat it as planted: leave it running and call security.")
	}
	steps = append(steps,
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("Do not log in to %s over the network: credentials may be stolen as you type. Use its console.", asset),
		"If nobody planned it, call security at once.")
	if c.PeerName == "" && c.PeerZone == "" {
		return append(steps, fmt.Sprintf("If it was not planned, have %s blocked toward %s, after security has agreed: blocking tells the intruder that you know.",
			c.PeerAddr, c.AssetZone),
			"If it was planned, it is for the owner, by day, to add an allow rule for it to the inventory. Do not add one for an outside address on your own.")
	}
	steps = append(steps, fmt.Sprintf("If it was not planned, treat %s as taken over as well: do not log in from there, and look at who did, and from where.", peer))
	return append(steps, "If it was planned, add this to allow in the inventory, have it reviewed, run tapwatch check and reload: "+allowRule(c, v.asked))
}

// allowRule is the line of the inventory that would allow the conversation.
func allowRule(c *detect.Conversation, asked inventory.Conversation) string {
	client, server := selector(c.Asset()), selector(c.Peer())
	if asked.Server == c.AssetAddr {
		client, server = server, client
	}
	ports := ""
	if c.Port != 0 {
		ports = fmt.Sprintf(" ports: [%d],", c.Port)
	}
	return fmt.Sprintf(`- {name: NAME, from: %q, to: %q, protocol: %q,%s owner: OWNER, ticket: TICKET, expires: %s}`,
		client, server, flow.ProtocolName(c.Protocol), ports, c.LastSeen.AddDate(0, 0, 30).Format("2006-01-02"))
}

func selector(p alert.Party) string {
	if p.Asset != "" {
		return "asset:" + p.Asset
	}
	return p.Addr.String()
}
