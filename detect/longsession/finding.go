package longsession

import (
	"context"
	"fmt"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

func (d *Detector) finding(c *candidate, talk *detect.Conversation, w detect.Window, inv *inventory.Inventory) alert.Finding {
	f := talk.Finding(Name, w, inv)
	f.Rule = rule
	f.ID = talk.Identity(Name, rule)
	f.Confidence = d.confidence(c, w.End)
	base := alert.Medium
	if c.open.active >= d.cfg.High && c.External() {
		base = alert.High
	}
	f.Severity = detect.Grade(base, c.AssetKind, c.AssetRole, f.Confidence)
	f.Techniques = []alert.Technique{detect.RemoteAccessTools, detect.ProtocolTunneling}
	open, peer := detect.Duration(c.open.active.Truncate(time.Minute)), detect.PeerText(c.PeerParty())
	f.Title = fmt.Sprintf("%s has had %s open with %s for %s", system(c), detect.Service(c.Protocol, c.Port), peer, open)
	if c.open.sessions > 1 {
		f.Title += fmt.Sprintf(" of the last day, in %d sessions", c.open.sessions)
	}
	f.Summary = fmt.Sprintf("%s. %s No rule of the inventory allows it. Tunnels and forgotten shells stay open like this.", f.Title, acquaintance(c))
	f.Reasons = d.reasons(c, talk, w.End)
	f.Measures = []alert.Measure{
		{Name: "open in the last day", Observed: c.open.active.Seconds(), Expected: d.cfg.Medium.Seconds(), Unit: "seconds"},
		{Name: "longest session", Observed: c.open.longest.Seconds(), Unit: "seconds"},
		{Name: "systems that talk with the peer", Observed: float64(c.fact.Hosts), Expected: float64(c.fact.Of), Unit: "hosts"},
	}
	f.NextSteps = nextSteps(c)
	f.SQL = talk.SQL(detect.Window{Start: w.End.Add(-day), End: w.End})
	return f
}

// confidence is lower where it is not known whether the pair is new, and where much of
// the carrier talks with the peer's network.
func (d *Detector) confidence(c *candidate, end time.Time) float64 {
	sure := 0.85
	if !c.fact.Warm(end, d.cfg.WarmUp) {
		sure -= 0.4
	}
	if c.fact.CommonNetwork() {
		sure -= 0.25
	}
	return sure
}

func system(c *candidate) string {
	p := c.AssetParty()
	if p.Zone == "" {
		return p.Name()
	}
	return p.Name() + " of " + p.Zone
}

func acquaintance(c *candidate) string {
	return fmt.Sprintf("The two were first seen to talk at %s; %s of %d that are watched ever talked with %s.",
		detect.Clock(c.fact.First), detect.Count(uint64(c.fact.Hosts), "system"), c.fact.Of, c.PeerAddr.Unmap())
}

func (d *Detector) reasons(c *candidate, talk *detect.Conversation, end time.Time) []string {
	began := "since " + detect.Clock(c.open.began)
	if !c.open.began.After(end.Add(-lookback)) {
		began = "since " + detect.Clock(c.open.began) + " or before"
	}
	all := []string{
		fmt.Sprintf("%s open in the last day, in %s of at least %s; the limit is %s", detect.Duration(c.open.active.Truncate(time.Minute)),
			detect.Count(uint64(c.open.sessions), "session"), detect.Duration(d.cfg.Piece), detect.Duration(d.cfg.Medium)),
		fmt.Sprintf("the longest has lasted %s, %s", detect.Duration(c.open.longest.Truncate(time.Minute)), began),
		fmt.Sprintf("%d of %d watched systems ever talked with %s", c.fact.Hosts, c.fact.Of, c.PeerAddr.Unmap()),
	}
	if c.fact.Warm(end, d.cfg.WarmUp) {
		all = append(all, fmt.Sprintf("the two ends have talked for %s only", detect.Duration(c.fact.Age(end))))
	} else {
		all = append(all, fmt.Sprintf("%s has been watched for %s of the %s after which a pair can be called new, so it may be old", c.AssetZone,
			detect.Duration(end.Sub(c.fact.Since)), detect.Duration(d.cfg.WarmUp)))
	}
	return append(all, talk.EvidenceText(), "no rule of the inventory allows it")
}

func nextSteps(c *candidate) []string {
	asset, peer := c.AssetParty().Name(), c.PeerAddr.Unmap()
	return []string{
		fmt.Sprintf("Ask whoever runs %s who or what holds a session with %s open: a vendor at work, an agent, a tunnel. Use the phone: mail and chat may be read.", asset, peer),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("If nobody knows it, look on the console of %s for the process or user that holds the session, and since when. Do not end it: security may want to watch it.", asset),
		fmt.Sprintf("Treat %s as taken over until that is clear, and look at its other alerts: what else did it reach since the session began?", asset),
		"If it is meant to be, have its owner add an allow rule for it to the inventory.",
	}
}

// Ready says how much history each zone has of what it takes to call a pair new, and
// what only sampling routers see.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	all, err := pairs.History(ctx, h, at, Name, d.cfg.WarmUp,
		fmt.Sprintf("Until a zone has been watched for %s, long sessions with outside peers are reported with less confidence, since they may be old, and those with inside peers not at all.", detect.Duration(d.cfg.WarmUp)))
	if err != nil {
		return nil, err
	}
	sampled, err := pairs.Sampled(ctx, h, at, Name, "long sessions", d.inventory().ExporterName)
	if err != nil {
		return nil, err
	}
	return append(all, sampled...), nil
}
