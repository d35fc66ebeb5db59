package aaa

import (
	"fmt"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/inventory"
)

// finding puts into words what was sent to one server.
func (d *Detector) finding(g *device.Group, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.Top()
	c := &top.Conversation
	f := g.Finding(Name, w, inv, "The flow records of these devices with the server they asked for logins")
	server := detect.PeerText(c.Peer())
	if g.Peers() > 1 {
		server = fmt.Sprintf("%s and %s", server, detect.Count(uint64(g.Peers()-1), "other server"))
	}
	clients := c.Asset().Name() + device.Others(g.Assets(), "system")
	verb := "asks"
	if g.Assets() > 1 {
		verb = "ask"
	}
	if !c.Established {
		verb = "tried to ask"
	}
	f.Title = fmt.Sprintf("%s %s for logins by %s at %s, %s", clients, verb, detect.Service(c.Protocol, c.Port), server, d.lawShort(g.Rule))
	f.Summary = fmt.Sprintf("%s. Whoever runs that server reads the names and passwords of administrators and decides who may log in. Most recently %s went to it and %s came back, %s. %s",
		f.Title, detect.Bytes(f.BytesToPeer), detect.Bytes(f.BytesToAsset), detect.Span(f.FirstSeen, f.LastSeen), d.law(g.Rule))
	f.Reasons = append([]string{d.law(g.Rule), device.WhereText(c.Peer(), "the server"), c.EvidenceText(), c.OpenedText()}, d.lists(inv)...)
	if g.Assets() > 1 {
		f.Reasons = append(f.Reasons, fmt.Sprintf("%s asked it in the window", detect.Count(uint64(g.Assets()), "system")))
	}
	if c.PeerIntel != "" {
		f.Reasons = append(f.Reasons, "the server is on an intelligence list: "+c.PeerIntel)
	}
	for _, m := range inv.Explain(c.AsAsked()) {
		f.Reasons = append(f.Reasons, "nearest: "+m)
	}
	f.Measures = []alert.Measure{
		{Name: "systems that ask the server", Observed: float64(g.Assets()), Unit: "hosts"},
		{Name: "sent to the server", Observed: float64(f.BytesToPeer), Unit: "bytes"},
	}
	f.NextSteps = d.steps(g)
	f.Techniques = []alert.Technique{detect.NetworkDeviceAuthentication, detect.ValidAccounts}
	return f
}

func (d *Detector) lawShort(rule string) string {
	switch rule {
	case ruleLeaves:
		return "outside the management zones"
	case ruleNoList:
		return "and the inventory lists no such server"
	default:
		return "which is not a listed server"
	}
}

// law says what is wrong, in one sentence.
func (d *Detector) law(rule string) string {
	switch rule {
	case ruleLeaves:
		return "What asks for logins in a management zone asks there, or a rule of the inventory allows it; this left the management and infrastructure zones, and no rule does."
	case ruleNoList:
		return fmt.Sprintf("The inventory has no service %s, so it is not known which servers are the right ones.", strings.Join(d.cfg.Services, " or "))
	default:
		return fmt.Sprintf("Devices ask only the servers of the inventory's service %s, or those that a rule allows, and this is neither.", strings.Join(d.cfg.Services, " or "))
	}
}

// lists says which servers are the right ones.
func (d *Detector) lists(inv *inventory.Inventory) []string {
	var all []string
	for i := range inv.Services {
		s := &inv.Services[i]
		for _, name := range d.cfg.Services {
			if s.Name != name {
				continue
			}
			var texts []string
			for _, p := range s.Prefixes[:min(4, len(s.Prefixes))] {
				text := p.String()
				if p.IsSingleIP() {
					text = p.Addr().String()
				}
				texts = append(texts, text)
			}
			if more := len(s.Prefixes) - len(texts); more > 0 {
				texts = append(texts, fmt.Sprintf("%d more", more))
			}
			all = append(all, fmt.Sprintf("service %s lists %s", name, strings.Join(texts, ", ")))
		}
	}
	return all
}

func (d *Detector) steps(g *device.Group) []string {
	c := &g.Top().Conversation
	service := d.cfg.Services[0]
	if g.Rule == ruleNoList {
		return []string{
			fmt.Sprintf("Ask whoever runs the AAA servers whether %s is one, and for the addresses of all of them, those for failover too.", c.PeerAddr),
			fmt.Sprintf("Enter them under services in the inventory, as %s: […], run tapwatch check and reload.", service),
		}
	}
	return []string{
		fmt.Sprintf("Call whoever runs the AAA servers, by phone, and ask whether %s is one of them.", c.PeerAddr),
		fmt.Sprintf("Until that is known do not log in to %s over the network: the server may be reading your password. Use its console and a local account.", c.Asset().Name()),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("On the console compare the tacacs and radius server lines of %s with its last saved configuration, and look for who changed them.", c.Asset().Name()),
		"If it was not planned: change the passwords of everybody who logged in since the first flow of this alert, and look for the same server on all other devices.",
		fmt.Sprintf("If it was planned, add %s to service %s in the inventory, have it reviewed, run tapwatch check and reload.", c.PeerAddr, service),
	}
}
