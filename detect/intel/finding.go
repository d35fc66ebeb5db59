package intel

import (
	"fmt"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

// finding puts a conversation with a listed address into words.
func (d *Detector) finding(c *detect.Conversation, rule string, w detect.Window, inv *inventory.Inventory) alert.Finding {
	f := c.Finding(Name, w, inv)
	f.Rule = rule
	f.ID = c.Identity(Name, rule)
	f.Severity = severity(c, rule)
	f.Title = c.Deed() + "; " + listedText(c)
	f.Summary = summary(c, rule)
	f.Reasons = d.reasons(c, rule)
	f.NextSteps = nextSteps(c, rule)
	f.Techniques = d.techniques(c)
	return f
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

func summary(c *detect.Conversation, rule string) string {
	if rule == ruleContact {
		return fmt.Sprintf("%s. Nobody answered, in %s, %s. %s. A protected system that reaches for a listed address may be controlled from there.",
			c.Deed(), detect.Count(c.Flows, "flow"), detect.Span(c.FirstSeen, c.LastSeen), listedText(c))
	}
	return fmt.Sprintf("%s. Most recently %s went to %s and %s came back, %s. %s.",
		c.Deed(), detect.Bytes(c.BytesIn), c.Asset().Name(), detect.Bytes(c.BytesOut),
		detect.Span(c.FirstSeen, c.LastSeen), listedText(c))
}

func (d *Detector) reasons(c *detect.Conversation, rule string) []string {
	all := []string{fmt.Sprintf("%s: its entry is %s", listedText(c), entry(indicator(c)))}
	if place := detect.PlaceText(c.Peer()); len(place) > 0 {
		all = append(all, fmt.Sprintf("%s is in %s", c.PeerAddr, strings.Join(place, ", ")))
	}
	if rule == ruleContact {
		all = append(all, fmt.Sprintf("%s asked and nobody answered: %s, in %s",
			c.Asset().Name(), detect.Bytes(c.BytesOut), detect.Count(c.Flows, "flow")))
	} else {
		all = append(all, c.EvidenceText())
	}
	if d.shipped(c) {
		all = append(all, fmt.Sprintf("%s sent %s there, which is enough to carry data away", c.Asset().Name(), detect.Bytes(c.BytesOut)))
	}
	return append(all, c.OpenedText())
}

// shipped tells whether the asset sent enough to call it an exfiltration.
func (d *Detector) shipped(c *detect.Conversation) bool {
	return c.BytesOut >= d.cfg.ExfiltrationBytes && c.BytesOut > c.BytesIn
}

func nextSteps(c *detect.Conversation, rule string) []string {
	steps := []string{
		fmt.Sprintf("Look the entry %s up in list %s: what was seen there, by whom, and when. Old entries may have a new, harmless owner.",
			entry(indicator(c)), listName(indicator(c))),
		"Save the flow records: run the query of this alert and keep its output with the ticket.",
	}
	if rule == ruleContact || c.Initiator == "asset" {
		steps = append(steps, fmt.Sprintf("Call whoever runs %s: a program on it reached out by itself. Ask what was installed or changed on it, and keep it running for the investigation.",
			c.Asset().Name()))
	} else {
		steps = append(steps, fmt.Sprintf("Call whoever runs %s and ask who logged in or what was served at that time. Do not log in to it from the network that was used.",
			c.Asset().Name()))
	}
	return append(steps,
		fmt.Sprintf("Look for the same address elsewhere: tapwatch sql \"SELECT * FROM watched_flows WHERE '%s' IN (src_intel, dst_intel) ORDER BY received_at\".",
			strings.ReplaceAll(indicator(c), "'", "''")),
		fmt.Sprintf("Once security has agreed, have %s blocked at the border in both directions.", c.PeerAddr))
}

func (d *Detector) techniques(c *detect.Conversation) []alert.Technique {
	all := []alert.Technique{detect.VirtualPrivateServer}
	if c.Initiator == "asset" {
		all = append(all, detect.ApplicationLayerProtocol)
	} else {
		all = append(all, detect.ExternalRemoteServices, detect.ValidAccounts)
	}
	if d.shipped(c) {
		all = append(all, detect.ExfiltrationOverC2)
	}
	return all
}
