package firstseen

import (
	"fmt"

	"tapwatch/detect"
)

// news says in a sentence what is new.
func (d *Detector) news(h *hit) string {
	v, g := &h.verdict, h.group().text()
	switch {
	case v.newNetwork && v.newCountry:
		return fmt.Sprintf("Nothing in %s had to do with %s or its country before.", h.AssetZone, g)
	case v.newNetwork:
		return fmt.Sprintf("Nothing in %s had to do with %s before.", h.AssetZone, g)
	case v.near == stranger && v.management:
		return fmt.Sprintf("Neither it nor %s administered anything in %s before.", g, h.AssetZone)
	case v.near == stranger:
		return fmt.Sprintf("Neither it nor %s had to do with %s before.", g, h.AssetZone)
	default:
		return fmt.Sprintf("Neither it nor %s had this service of %s before, though other systems of %s know them.", g, h.conversationName(), h.AssetZone)
	}
}

func (c *contact) conversationName() string {
	if c.AssetName != "" {
		return c.AssetName
	}
	return c.AssetAddr.String()
}

// reasons say why it is unusual, the strongest first.
func (d *Detector) reasons(h *hit, c *detect.Conversation) []string {
	v, g := &h.verdict, h.group().text()
	all := []string{
		fmt.Sprintf("not once in the %s before: %s between these two", detect.Duration(d.cfg.History), detect.Service(h.Protocol, h.Port)),
		fmt.Sprintf("%d of %d systems of %s had to do with %s", v.hosts, v.of, h.AssetZone, g),
		fmt.Sprintf("on %d of the %d days before, %s met somebody as new as this", v.days, v.watched, h.AssetZone),
		fmt.Sprintf("%s gets to know %.1f new kinds of peers a week", h.conversationName(), v.gains),
	}
	if v.newCountry {
		all = append(all, fmt.Sprintf("nothing in %s had to do with %s, its country, before", h.AssetZone, h.Country))
	}
	if v.management && h.AssetServes {
		all = append(all, "the service is one by which systems are administered")
	}
	if h.PeerZone != "" && h.PeerZone != h.AssetZone {
		all = append(all, fmt.Sprintf("it crosses from %s to %s", h.PeerZone, h.AssetZone))
	}
	return append(all, fmt.Sprintf("score %.2f, reported from %.2f", v.total, d.cfg.Score), law(h),
		c.EvidenceText(), c.OpenedText())
}

// law says what the inventory says.
func law(h *hit) string {
	if h.allowed {
		return "a rule of the inventory allows it, but it lets in many and names none of them"
	}
	return "no rule of the inventory allows it"
}

func nextSteps(h *hit, c *detect.Conversation) []string {
	asset, peer := c.Asset().Name(), c.Peer().Name()
	steps := []string{
		fmt.Sprintf("Call whoever runs %s, and ask whether a new system, a new partner or a change was planned. Use the phone: mail and chat may be read.", asset),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
	}
	switch {
	case c.PeerZone == "" && c.Initiator == "asset":
		steps = append(steps,
			fmt.Sprintf("Find out which program on %s called %s: look on its console, not over the network.", asset, peer),
			"If it was not planned, treat it as a call home: have security decide before anything is blocked.")
	case c.PeerZone == "":
		steps = append(steps,
			fmt.Sprintf("Look who logged in to %s from %s: in its own log, and in the log server's, which an intruder cannot clear from there.", asset, peer),
			fmt.Sprintf("If it was not planned, have %s blocked toward %s, after security has agreed: blocking tells the intruder that you know.", peer, asset))
	default:
		steps = append(steps,
			fmt.Sprintf("Look who logged in to %s from %s, and who was logged in to %s then, and from where.", asset, peer, peer),
			fmt.Sprintf("If it was not planned, treat %s as taken over as well: do not log in from there.", peer))
	}
	return append(steps, "If it was planned, add an allow rule for it to the inventory that names it, with an owner and a ticket.")
}
