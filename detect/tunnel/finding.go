package tunnel

import (
	"fmt"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// finding puts a tunnel, or many of one endpoint, into words.
func (d *Detector) finding(g *device.Group, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.Top()
	c := &top.Conversation
	f := g.Finding(Name, w, inv, "The flow records of the tunnel between these endpoints, those that set it up included")
	if !g.Folded {
		f.Protocol, f.Port = c.Protocol, c.Port
	}
	name := familyName(top)
	f.Title = title(g, name)
	f.Summary = fmt.Sprintf("%s. Most recently %s went in and %s went out, %s. The inventory lists no such tunnel: intruders on routers build them to take traffic out and to come back past every filter.",
		f.Title, detect.Bytes(f.BytesToAsset), detect.Bytes(f.BytesToPeer), detect.Span(f.FirstSeen, f.LastSeen))
	f.Reasons = []string{
		listedText(inv, g), device.WhereText(c.Peer(), "the other end"), how(g, f.BytesToAsset, f.BytesToPeer),
	}
	if g.Folded {
		f.Reasons = append(f.Reasons, fmt.Sprintf("%s in the window: %s with %s, more than the %d that would have alerts of their own",
			detect.Count(uint64(len(g.Hits)), "part"), detect.Count(uint64(g.Assets()), "system"), detect.Count(uint64(g.Peers()), "other end"), d.cfg.MaxAlerts))
	}
	if c.PeerIntel != "" {
		f.Reasons = append(f.Reasons, "the other end is on an intelligence list: "+c.PeerIntel)
	}
	for _, m := range inv.Explain(c.AsAsked()) {
		f.Reasons = append(f.Reasons, "nearest: "+m)
	}
	f.Measures = []alert.Measure{
		{Name: "endpoints at the other side", Observed: float64(g.Peers()), Unit: "hosts"},
		{Name: "carried both ways", Observed: float64(f.BytesToAsset + f.BytesToPeer), Unit: "bytes"},
	}
	f.NextSteps = steps(g, name)
	f.Techniques = []alert.Technique{detect.ProtocolTunneling, detect.NonApplicationLayerProtocol}
	return f
}

func title(g *device.Group, name string) string {
	c := &g.Top().Conversation
	where := c.Asset().Name() + device.Others(g.Assets(), "system")
	if c.AssetZone != "" {
		where += " of " + c.AssetZone
	}
	peers := detect.PeerText(c.Peer()) + device.Others(g.Peers(), "address")
	if g.Peers() > 1 || g.Assets() > 1 {
		return fmt.Sprintf("%s has unlisted %s tunnels with %s", where, name, peers)
	}
	if oneWay(g) {
		return fmt.Sprintf("%s sends into an unlisted %s tunnel to %s", where, name, peers)
	}
	return fmt.Sprintf("%s has an unlisted %s tunnel with %s", where, name, peers)
}

// oneWay tells whether nothing came back.
func oneWay(g *device.Group) bool {
	for i := range g.Hits {
		if h := &g.Hits[i]; h.BytesIn > 0 || h.Answered {
			return false
		}
	}
	return true
}

// how says what was seen of the tunnel, by protocol.
func how(g *device.Group, in, out uint64) string {
	var parts []string
	seen := map[string]bool{}
	for i := range g.Hits {
		if s := detect.Service(g.Hits[i].Protocol, g.Hits[i].Port); !seen[s] && len(parts) < 4 {
			seen[s] = true
			parts = append(parts, s)
		}
	}
	text := fmt.Sprintf("seen as %s: %s in, %s out", strings.Join(parts, ", "), detect.Bytes(in), detect.Bytes(out))
	if oneWay(g) {
		text += "; nothing came back, as of a mirror"
	}
	return text
}

// listedText says what the inventory lists of tunnels at the endpoint.
func listedText(inv *inventory.Inventory, g *device.Group) string {
	c := &g.Top().Conversation
	var with []string
	for _, t := range inv.Tunnels {
		for i, e := range t.Endpoints {
			if e == c.AssetAddr {
				with = append(with, fmt.Sprintf("%s with %s", strings.ToUpper(flow.ProtocolName(t.Protocol)), t.Endpoints[1-i]))
			}
		}
	}
	if len(with) == 0 {
		return fmt.Sprintf("the inventory lists %s, none of them at %s, and no rule allows it", detect.Count(uint64(len(inv.Tunnels)), "tunnel"), c.AssetAddr)
	}
	return fmt.Sprintf("at %s the inventory lists %s, not this one, and no rule allows it", c.AssetAddr, strings.Join(with[:min(4, len(with))], ", "))
}

func steps(g *device.Group, name string) []string {
	c := &g.Top().Conversation
	asset := c.Asset().Name()
	steps := []string{
		fmt.Sprintf("Call whoever runs %s, by phone, and ask whether a %s tunnel with %s was planned.", asset, name, c.PeerAddr),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("On the console of %s list the tunnel interfaces, crypto sessions and monitor sessions, and compare them with the last saved configuration: who added this one, and when, and which routes and interfaces lead into it.", asset),
		fmt.Sprintf("Look for other traffic with %s in the flow records, and for the same far end on all other devices.", c.PeerAddr),
	}
	if c.PeerZone == "" {
		steps = append(steps, fmt.Sprintf("If it was not planned, have it blocked at the border and shut on %s at the same time, after security has agreed: blocking tells the intruder that you know.", asset))
	}
	return append(steps, fmt.Sprintf("If it was planned, list it in the inventory, have it reviewed, run tapwatch check and reload: - {endpoints: [%s, %s], protocol: %q, owner: OWNER, ticket: TICKET}",
		c.AssetAddr, c.PeerAddr, flow.ProtocolName(c.Protocol)))
}
