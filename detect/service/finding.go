package service

import (
	"fmt"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/inventory"
)

// oddFinding puts the use of odd ports into words.
func oddFinding(g *device.Group, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.Top()
	c := &top.Conversation
	f := g.Finding(Name, w, inv, "The flow records of these devices with their clients on these ports")
	devices := c.Asset().Name() + device.Others(g.Assets(), "device")
	peers := detect.PeerText(c.Peer()) + device.Others(g.Peers(), "client")
	verb := "answers"
	if g.Assets() > 1 {
		verb = "answer"
	}
	at := detect.Service(c.Protocol, c.Port) + device.Others(g.Services(), "port")
	f.Title = fmt.Sprintf("%s %s %s on %s, where no device ought to serve", devices, verb, peers, at)
	f.Summary = fmt.Sprintf("%s. Intruders open a second way into routers there, past the access lists of the first one. Most recently %s went in and %s came back, %s.",
		f.Title, detect.Bytes(f.BytesToAsset), detect.Bytes(f.BytesToPeer), detect.Span(f.FirstSeen, f.LastSeen))
	f.Reasons = []string{
		oddText(c.Port), "no rule of the inventory allows it, whichever of the two is the server", certaintyText(top),
		device.WhereText(c.Peer(), "the client"), c.EvidenceText(), c.OpenedText(),
	}
	if c.PeerIntel != "" {
		f.Reasons = append(f.Reasons, "the client is on an intelligence list: "+c.PeerIntel)
	}
	f.Measures = []alert.Measure{
		{Name: "clients of the port", Observed: float64(g.Peers()), Unit: "hosts"},
		{Name: "answered", Observed: float64(f.BytesToPeer), Unit: "bytes"},
	}
	f.NextSteps = []string{
		fmt.Sprintf("Call whoever runs %s, by phone, and ask whether %s was opened on purpose.", c.Asset().Name(), detect.Service(c.Protocol, c.Port)),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("On the console of %s list the open ports and who is connected (ssh and http server lines, rotary lines, containers, guest shell), and compare them with the last saved configuration.", c.Asset().Name()),
		fmt.Sprintf("Look for port %d on all other devices, and for %s in the flow records.", c.Port, c.PeerAddr),
		"If it was not planned, treat the device as taken over: security decides when to close the port, for closing it tells the intruder that you know.",
		"If it was planned, add a rule with owner and ticket to allow in the inventory, and reload.",
	}
	f.Techniques = []alert.Technique{detect.NonStandardPort, detect.SystemProcess, detect.RemoteServicesSSH}
	return f
}

// oddText says what is odd about a port.
func oddText(port uint16) string {
	switch {
	case port == 57722:
		return "57722 is where IOS XR's own Linux runs a second SSH server, sshd_operns, which the router's access lists do not cover"
	case port >= 18000 && port <= 18999:
		return fmt.Sprintf("%d is one of the ports 18000 to 18999, to which intruders moved the web management of routers", port)
	case port%100 == 22:
		return fmt.Sprintf("%d ends in 22 like SSH, as the ports do on which intruders ran SSH servers on routers", port)
	default:
		return fmt.Sprintf("%d is one of the ports on which the configuration says that no device ought to serve", port)
	}
}

// certaintyText says how it is known which end serves.
func certaintyText(h *device.Hit) string {
	switch {
	case h.Confidence >= 1:
		return "it is sure that the device is the server: the client's first packet came first, or it came from several ports"
	case h.Confidence > 0.5:
		return "the device is taken for the server because of the port's number; the first packets were not seen"
	default:
		return "it is not sure that the device is the server: packets are sampled, and only the ports look so"
	}
}

// newFinding puts the use of a new service, or of several in one zone, into words.
func (d *Detector) newFinding(g *device.Group, all fresh, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.Top()
	c := &top.Conversation
	u := all.use[top.Key]
	f := g.Finding(Name, w, inv, "The flow records of the new service with its clients")
	service := detect.Service(c.Protocol, c.Port)
	if g.Folded {
		f.Title = fmt.Sprintf("%s of %s serve on %s they never served on before, among them %s on %s", detect.Count(uint64(g.Assets()), "system"),
			c.AssetZone, detect.Count(uint64(g.Services()), "port"), c.Asset().Name(), service)
	} else {
		f.Title = fmt.Sprintf("%s serves %s, which it never did before, to %s", detect.AssetText(c.Asset()), service,
			detect.PeerText(c.Peer())+device.Others(len(u.clients), "client"))
	}
	f.Summary = fmt.Sprintf("%s. It was first used at %s; since then %s came back to %s. In the %s before nobody used it.", f.Title,
		detect.Clock(u.since), detect.Bytes(u.reply), detect.Count(uint64(len(u.clients)), "client"), detect.Count(uint64(d.cfg.HistoryDays), "day"))
	f.Reasons = []string{
		fmt.Sprintf("0 sessions with %s on %s in the %s before %s", c.Asset().Name(), service, detect.Count(uint64(d.cfg.HistoryDays), "day"), detect.Clock(u.since)),
		fmt.Sprintf("%s since: %s", detect.Count(uint64(len(u.clients)), "client"), strings.Join(u.clients[:min(5, len(u.clients))], ", ")),
		"no rule of the inventory allows it", device.WhereText(c.Peer(), "the client"), c.EvidenceText(), c.OpenedText(),
	}
	f.Measures = []alert.Measure{
		{Name: "clients of the new service", Observed: float64(len(u.clients)), Unit: "hosts"},
		{Name: "answered by the new service", Observed: float64(u.reply), Unit: "bytes"},
	}
	f.NextSteps = []string{
		fmt.Sprintf("Ask whoever runs %s whether %s was installed or opened %s.", c.Asset().Name(), service, "at "+detect.Clock(u.since)),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("On the console of %s find the process that listens on the port, when it was started and by whom.", c.Asset().Name()),
		"If nobody knows it, treat the system as taken over: leave it running and call security.",
		"If it was planned, add a rule with owner and ticket to allow in the inventory, and reload; without one it is known after a day.",
	}
	f.Techniques = []alert.Technique{detect.SystemProcess, detect.NonStandardPort}
	return f
}
