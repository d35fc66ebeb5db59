package policy

import (
	"fmt"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// deviceFinding puts a group of conversations with devices into words.
func deviceFinding(g *device.Group, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.Top()
	c := &top.Conversation
	f := g.Finding(Name, w, inv, "The flow records between these devices and who opened management to them, for the same services")
	f.Title = deviceTitle(g)
	f.Summary = fmt.Sprintf("%s. Most recently %s went to %s and %s came back, %s. %s", f.Title,
		detect.Bytes(f.BytesToAsset), c.Asset().Name()+device.Others(g.Assets(), "system"), detect.Bytes(f.BytesToPeer),
		detect.Span(f.FirstSeen, f.LastSeen), deviceLaw(g))
	misses := inv.Explain(c.AsAsked())
	f.Reasons = []string{"no rule of the inventory allows it", whereFrom(c), c.EvidenceText(), c.OpenedText()}
	if n := len(g.Hits); n > 1 {
		f.Reasons = append(f.Reasons, fmt.Sprintf("%s in the window, with %s and %s",
			detect.Count(uint64(n), "conversation"), detect.Count(uint64(g.Assets()), "system"), detect.Count(uint64(g.Peers()), "other end")))
	}
	if c.PeerIntel != "" {
		f.Reasons = append(f.Reasons, "the other end is on an intelligence list: "+c.PeerIntel)
	}
	for _, m := range misses {
		f.Reasons = append(f.Reasons, "nearest: "+m)
	}
	f.Measures = []alert.Measure{
		{Name: "conversations that no rule allows", Observed: float64(len(g.Hits))},
		{Name: "systems reached", Observed: float64(g.Assets()), Unit: "hosts"},
		{Name: "carried both ways", Observed: float64(f.BytesToAsset + f.BytesToPeer), Unit: "bytes"},
	}
	f.NextSteps = deviceSteps(g, owners(misses, inv))
	f.Techniques = deviceTechniques(g)
	return f
}

func deviceTitle(g *device.Group) string {
	top := g.Top()
	title := top.Deed()
	if top.AssetServes {
		title += device.Others(g.Assets(), "system")
		if g.Peers() > 1 {
			title += ", and so did " + detect.Count(uint64(g.Peers()-1), "other address")
		}
	} else {
		title += device.Others(g.Peers(), "address")
	}
	switch g.Rule {
	case ruleUnknownLoopback:
		return title + ": no asset owns " + unknownEnd(top).Addr.String()
	case ruleDeviceToDevice:
		return title + ": devices do not manage each other"
	case ruleManagementFromOutside:
		return title + ", from outside the management zones"
	default:
		return title + ": no device ought to have this service"
	}
}

// unknownEnd is the end that no asset owns.
func unknownEnd(h *device.Hit) alert.Party {
	if h.AssetName == "" && h.AssetZoneKind == flow.ZoneInfrastructure {
		return h.Asset()
	}
	return h.Peer()
}

// deviceLaw says what is wrong, in one sentence.
func deviceLaw(g *device.Group) string {
	switch g.Rule {
	case ruleUnknownLoopback:
		return fmt.Sprintf("%s lies in %s, but no asset of the inventory owns it: an intruder on a router can give it an address that no access list names.",
			unknownEnd(g.Top()).Addr, unknownEnd(g.Top()).Zone)
	case ruleDeviceToDevice:
		return "A device that opens management to another is how an intruder walks from router to router: people and tools come from the management zones."
	case ruleManagementFromOutside:
		return "Devices are managed from the management zones alone, and this came from elsewhere."
	default:
		return fmt.Sprintf("%s needs no password or shows it in plain text, so that it gives an intruder a device or its files; hardened devices have it off.",
			detect.Service(g.Top().Protocol, g.Top().Port))
	}
}

func deviceSteps(g *device.Group, owners []string) []string {
	top := g.Top()
	who := client(top)
	server := top.Asset()
	if !top.AssetServes {
		server = top.Peer()
	}
	ask := "whoever runs the devices of " + top.AssetZone
	if len(owners) > 0 {
		ask = owners[0] + " or " + ask
	}
	steps := []string{
		"Call " + ask + ", and ask whether this was planned. Use the phone: mail and chat may be read.",
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
	}
	if g.Rule == ruleUnknownLoopback {
		e := unknownEnd(top)
		steps = append(steps, fmt.Sprintf("Find which device answers for %s: look it up in the routing table, and compare that device's addresses with its last saved configuration. Use its console.", e.Addr))
	} else {
		where := server.Name()
		if who.ZoneKind == flow.ZoneInfrastructure {
			where = who.Name() + ", which opened it, and of " + where
		}
		steps = append(steps, fmt.Sprintf("On the console of %s look at who is logged in, at the running configuration against the last saved one, and at local users; do not log in over the network.", where))
	}
	switch {
	case who.Zone == "":
		steps = append(steps, fmt.Sprintf("If it was not planned, close %s on %s toward the outside with an access list on the control plane, after security has agreed.",
			detect.Service(top.Protocol, top.Port), server.Name()))
	case g.Rule == ruleLegacyService:
		steps = append(steps, fmt.Sprintf("If nobody needs it, switch %s off on all devices; for the time of a rollout enter an allow rule with an expiry date.", detect.Service(top.Protocol, top.Port)))
	default:
		steps = append(steps, fmt.Sprintf("If it was not planned, call security at once and treat %s as taken over as well.", who.Name()))
	}
	if who.Zone != "" {
		steps = append(steps, "If it was planned, add this to allow in the inventory, have it reviewed, run tapwatch check and reload: "+allowRule(&top.Conversation, top.AsAsked()))
	}
	return steps
}

// deviceTechniques are what the group may be a sign of.
func deviceTechniques(g *device.Group) []alert.Technique {
	outside := client(g.Top()).Zone == ""
	switch {
	case g.Rule == ruleLegacyService && g.Top().AssetServes:
		return []alert.Technique{detect.ExploitPublicFacing, detect.ValidAccounts}
	case g.Rule == ruleLegacyService:
		return []alert.Technique{detect.ExfiltrationOverAlternativeProtocol, detect.IngressToolTransfer}
	case g.Rule == ruleManagementFromOutside && outside:
		return []alert.Technique{detect.ExternalRemoteServices, detect.ValidAccounts, detect.ExploitPublicFacing}
	default:
		return []alert.Technique{detect.RemoteServicesSSH, detect.ValidAccounts}
	}
}
