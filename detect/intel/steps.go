package intel

import (
	"fmt"
	"strings"

	"tapwatch/detect"
	"tapwatch/inventory"
)

// nextSteps say what to do about a group, in order.
func (g *group) nextSteps(top *hit, inv *inventory.Inventory) []string {
	steps := []string{
		fmt.Sprintf("Look the entry %s up in list %s: what was seen there, by whom, and when. Old entries may have a new, harmless owner.", entry(top.indicator), g.list),
		"Save the flow records: run the query of this alert and keep its output with the ticket.",
	}
	asset := top.Asset().Name()
	switch {
	case g.many() && g.asset == "":
		steps = append(steps, fmt.Sprintf("Ask who keeps list %s whether the entry is meant to be there: so many systems at once speak for a mistake. If it is, call whoever runs each of the systems named above.", g.list))
	case !top.Established || top.Initiator == "asset":
		steps = append(steps, fmt.Sprintf("Call whoever runs %s%s: a program on it reached out by itself. Ask what was installed or changed on it, and keep it running for the investigation.",
			asset, owner(top, inv)))
	default:
		steps = append(steps, fmt.Sprintf("Call whoever runs %s%s and ask who logged in or what was served at that time. Do not log in to it from the network that was used.",
			asset, owner(top, inv)))
	}
	if g.rule == rulePast {
		return append(steps,
			fmt.Sprintf("Take it as an intrusion that began at %s at the latest: find out what %s could reach since, which passwords were used on it, and what it sent out.", detect.Clock(top.FirstSeen), asset),
			"Flows that come in from now on are marked: a new alert of rule "+ruleConversation+" says if it goes on.")
	}
	return append(steps,
		fmt.Sprintf("Look for the same address elsewhere: tapwatch sql \"SELECT * FROM watched_flows WHERE '%s' IN (src_intel, dst_intel) ORDER BY received_at\".",
			strings.ReplaceAll(top.indicator, "'", "''")),
		fmt.Sprintf("Once security has agreed, have %s blocked at the border in both directions.", top.PeerAddr))
}

// owner is who to call about the system: the owners of rules that let it talk, as
// " (li-operations, by rule x1-tasking)"; empty where the inventory does not say.
func owner(h *hit, inv *inventory.Inventory) string {
	for _, miss := range inv.Explain(h.AsAsked()) {
		for i := range inv.Allow {
			r := &inv.Allow[i]
			if r.Owner != "" && strings.HasPrefix(miss, "rule "+r.Name+" ") {
				return fmt.Sprintf(" (perhaps %s, owner of rule %s)", r.Owner, r.Name)
			}
		}
	}
	return ""
}
