package mirror

import (
	"fmt"
	"math"
	"strconv"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/inventory"
)

func (d *Detector) finding(c *candidate, m *matched, talk *detect.Conversation, w detect.Window, inv *inventory.Inventory) alert.Finding {
	from, to := c.ends()
	if talk.AssetAddr != from.Addr {
		turned := talk.Turned()
		talk = &turned
	}
	f := talk.Finding(Name, w, inv)
	f.Rule = m.rule
	f.ID = alert.Identity(Name, m.rule, from.Name(), to.Addr.String(), strconv.Itoa(int(c.Protocol)))
	f.Confidence = 0.95
	if m.Reliability < 0.8 {
		f.Confidence = 0.8
	}
	base := alert.High
	if to.Zone == "" {
		base = alert.Critical
	}
	f.Severity = detect.Grade(base, from.ZoneKind, from.Role, f.Confidence)
	f.Techniques = []alert.Technique{detect.TrafficDuplication, detect.NetworkSniffing, detect.ProtocolTunneling}
	service := detect.Service(c.Protocol, c.Port)
	f.Title = fmt.Sprintf("%s sends a copy of traffic to %s by %s", name(from), detect.PeerText(to), service)
	f.Summary = fmt.Sprintf("%s. What it sends goes one way and follows %s, minute by minute: correlation %.2f over %d minutes. No rule and no tunnel of the inventory allows it.",
		f.Title, m.what, m.Corrected, m.Minutes)
	sent := max(c.BytesOut, c.BytesIn)
	f.Reasons = []string{
		fmt.Sprintf("the bytes of %d minutes follow %s with a correlation of %.2f (%.2f before what sampling blurs); as close by chance at most once in 10^%.0f times, of %s",
			m.Minutes, m.what, m.Corrected, m.R, math.Floor(min(30, -m.LogP/math.Ln10)), detect.Count(uint64(m.tried), "comparison")),
		fmt.Sprintf("it is %s of that traffic: %s in the hour", percent(m.share), detect.Bytes(sent)),
		fmt.Sprintf("it goes one way: %d packets out, %d back", max(c.PacketsOut, c.PacketsIn), min(c.PacketsOut, c.PacketsIn)),
		"no rule and no tunnel of the inventory allows it",
	}
	f.Measures = []alert.Measure{
		{Name: "correlation of the minutes", Observed: m.Corrected, Expected: 0, Rarity: math.Exp(m.LogP)},
		{Name: "part of the traffic", Observed: m.share},
		{Name: "sent in the hour", Observed: float64(sent), Unit: "bytes"},
	}
	f.NextSteps = nextSteps(from, to)
	f.SQL = talk.SQL(w)
	return f
}

// percent writes a share with two digits: "0.31 %", "2.4 %", "35 %".
func percent(share float64) string {
	switch p := 100 * share; {
	case p < 1:
		return fmt.Sprintf("%.2f %%", p)
	case p < 10:
		return fmt.Sprintf("%.1f %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

func name(p alert.Party) string {
	if p.Zone == "" {
		return p.Name()
	}
	return p.Name() + " of " + p.Zone
}

func nextSteps(from, to alert.Party) []string {
	return []string{
		fmt.Sprintf("Call whoever runs %s, and whoever runs lawful interception: is a mirror or a capture to %s planned? Use the phone: mail and chat may be read.", from.Name(), to.Name()),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("If nobody knows it, look through the console of %s for monitor or SPAN sessions, port mirroring, sampling of whole packets, packet captures and tunnel interfaces. Do not log in over the network.", from.Name()),
		fmt.Sprintf("Treat %s as taken over: customers' traffic may be read. Call security at once, and do not remove the mirror before they have agreed.", from.Name()),
		"If it is meant to be, have its owner enter it as a tunnel or an allow rule of the inventory.",
	}
}
