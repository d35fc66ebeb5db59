package transfer

import (
	"fmt"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// finding puts a group of transfers into words.
func (d *Detector) finding(g *device.Group, sent sums, w detect.Window, inv *inventory.Inventory) alert.Finding {
	top := g.Top()
	c := &top.Conversation
	all := sent.of(g)
	f := g.Finding(Name, w, inv, "The flow records of these devices with these other ends over the services of the transfer")
	f.Protocol, f.Port = service(g)
	how := detect.Service(f.Protocol, f.Port)
	f.Title = title(g, all, how)
	f.Summary = fmt.Sprintf("%s. Most recently %s went out and %s came back, %s. %s", f.Title,
		detect.Bytes(f.BytesToPeer), detect.Bytes(f.BytesToAsset), detect.Span(f.FirstSeen, f.LastSeen), d.law(g.Rule))
	f.Reasons = []string{
		fmt.Sprintf("%s sent in the window and the %s before it (%s is enough for an alert); %s came back", detect.Bytes(all.bytesOut),
			detect.Duration(detect.Horizon), detect.Bytes(d.cfg.Bytes), detect.Bytes(all.bytesIn)),
		d.law(g.Rule), device.WhereText(c.Peer(), "the other end"), c.EvidenceText(),
	}
	if least := all.atLeast(); least < float64(all.bytesOut) {
		f.Reasons = append(f.Reasons, fmt.Sprintf("packets are sampled: it was %s or more with 95 %% probability", detect.Bytes(uint64(least))))
	}
	if web(f.Port) && all.bytesOut <= all.bytesIn {
		f.Reasons = append(f.Reasons, "it fetched more than it sent: it may be a licence, telemetry or an update, which want a rule of their own")
	}
	if f.Port == ssh && all.bytesIn > all.bytesOut/2 && all.bytesOut > all.bytesIn/2 {
		f.Reasons = append(f.Reasons, "as much came back as went: it may be somebody's login, not a copy")
	}
	if c.PeerIntel != "" {
		f.Reasons = append(f.Reasons, "the other end is on an intelligence list: "+c.PeerIntel)
	}
	f.Measures = []alert.Measure{
		{Name: "sent by the device in the window and five minutes before", Observed: float64(all.bytesOut), Expected: 0, Unit: "bytes"},
		{Name: "received by the device meanwhile", Observed: float64(all.bytesIn), Unit: "bytes"},
	}
	f.NextSteps = d.steps(g, how)
	f.Techniques = techniques(f.Port)
	return f
}

// service is the service that the transfer began with.
func service(g *device.Group) (protocol uint8, port uint16) {
	c := &g.Top().Conversation
	switch {
	case g.Rule == ruleUpload:
		return c.Protocol, c.Port
	case c.Protocol == flow.ProtocolUDP:
		return c.Protocol, tftp
	default:
		return c.Protocol, ftpControl
	}
}

func title(g *device.Group, all amount, how string) string {
	c := &g.Top().Conversation
	devices := c.Asset().Name() + device.Others(g.Assets(), "device")
	peers := detect.PeerText(c.Peer()) + device.Others(g.Peers(), "address")
	if g.Rule == ruleRead {
		return fmt.Sprintf("%s read %s out of %s by %s", peers, detect.Bytes(all.bytesOut), devices, how)
	}
	return fmt.Sprintf("%s sent %s by %s to %s, which is no archive", devices, detect.Bytes(all.bytesOut), how, peers)
}

// law says what is wrong, in one sentence.
func (d *Detector) law(rule string) string {
	archive := strings.Join(d.cfg.Services, " or ")
	if rule == ruleRead {
		return "A device that serves files by TFTP gives its configuration, with keys and passwords, to anybody who asks; no rule of the inventory allows it."
	}
	return fmt.Sprintf("Devices send files only to the inventory's service %s, or where a rule allows it, and this is neither.", archive)
}

func (d *Detector) steps(g *device.Group, how string) []string {
	c := &g.Top().Conversation
	name := c.Asset().Name()
	steps := []string{
		fmt.Sprintf("Ask whoever runs %s, by phone, whether a copy to %s was planned: a backup, an upgrade, a case with the vendor.", name, c.PeerAddr),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("On the console of %s look for new files (archives, captures), at the log of copy commands, at running captures, and at a guest shell or container that is switched on.", name),
		fmt.Sprintf("If a file went, take it that the configuration is known outside: plan to change every secret in that of %s, SNMP communities and keys of neighbours included.", name),
	}
	if g.Rule == ruleRead {
		return append(steps, "Switch the device's TFTP server off, and look for the same on all other devices.")
	}
	if c.PeerZone == "" {
		steps = append(steps, fmt.Sprintf("If it was not planned, have %s blocked toward %s, after security has agreed: blocking tells the intruder that you know.", how, c.PeerAddr))
	}
	return append(steps, fmt.Sprintf("If it was planned and comes again, add %s to service %s in the inventory, or a rule with an expiry date, and reload.", c.PeerAddr, d.cfg.Services[0]))
}

func techniques(port uint16) []alert.Technique {
	how := detect.ExfiltrationOverAlternativeProtocol
	if port == 80 || port == tftp || port == ftpControl || port == ftpData {
		how = detect.ExfiltrationUnencrypted
	}
	return []alert.Technique{detect.ConfigurationDump, how}
}
