package relay

import (
	"context"
	"fmt"
	"math"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/pairs"
	"tapwatch/inventory"
)

// chain is what a finding is made of.
type chain struct {
	match
	// in and out are the two conversations, with the system as their asset.
	in, out detect.Conversation
	facts   []pairs.Fact
	// warm says that it is known whether the pairs are new.
	warm bool
}

func (d *Detector) finding(c *chain, w detect.Window, inv *inventory.Inventory) alert.Finding {
	// The end that lies outside is the other end of the alert; else who came in.
	about, other := &c.in, &c.out
	if c.in.PeerZone != "" && c.out.PeerZone == "" {
		about, other = other, about
	}
	f := about.Finding(Name, w, inv)
	f.Rule = rule
	f.ID = alert.Identity(Name, rule, c.in.Asset().Name(), c.in.PeerAddr.String(), c.out.PeerAddr.String())
	more := other.Finding(Name, w, inv)
	detect.Add(&f, &more)
	f.Confidence = 0.9
	if !c.warm {
		f.Confidence = 0.6
	}
	f.Severity = detect.Grade(alert.High, c.in.AssetZoneKind, c.in.AssetRole, f.Confidence)
	f.Techniques = []alert.Technique{detect.MultiHopProxy, detect.RemoteServices}
	from, to := detect.PeerText(c.in.Peer()), detect.PeerText(c.out.Peer())
	f.Title = fmt.Sprintf("%s works through %s: it comes in by %s and goes on to %s by %s", from, c.in.Asset().Name(),
		detect.Service(c.in.Protocol, c.in.Port), to, detect.Service(c.out.Protocol, c.out.Port))
	f.Summary = fmt.Sprintf("%s times in %s a session from %s to %s was followed within seconds by one from there to %s that carried as much. Who comes in uses %s as a stepping stone. The inventory does not allow both.",
		number(len(c.episodes)), detect.Duration(d.cfg.Lookback), from, detect.AssetText(c.in.Asset()), to, c.in.Asset().Name())
	f.Reasons = c.reasons(d)
	f.Measures = []alert.Measure{
		{Name: "sessions that went on", Observed: float64(len(c.episodes)), Expected: c.expected, Unit: "sessions", Rarity: math.Exp(c.LogP)},
		{Name: "seconds until they did, on average", Observed: c.lag().Seconds(), Unit: "seconds"},
	}
	f.NextSteps = c.nextSteps()
	f.SQL = c.sql(w)
	return f
}

func number(n int) string {
	words := []string{"No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"}
	if n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}

// lag is how long after sessions came in they went on, on average.
func (c *chain) lag() time.Duration {
	var sum time.Duration
	for _, e := range c.episodes {
		sum += e.out.start.Sub(e.in.start)
	}
	return sum / time.Duration(len(c.episodes))
}

func (c *chain) reasons(d *Detector) []string {
	last := c.episodes[len(c.episodes)-1]
	all := []string{
		fmt.Sprintf("%d of %s that came in and %s that went out began within %s of one another and carried the same within %.0f %%, each way; by chance %.2g would",
			len(c.episodes), detect.Count(uint64(c.came), "session"), detect.Count(uint64(c.went), "session"), detect.Duration(d.cfg.Lag), 100*d.cfg.Tolerance, c.expected),
		fmt.Sprintf("most recently at %s, %.1f seconds apart: %s and %s went in, %s and %s went on", detect.Clock(last.in.start),
			last.out.start.Sub(last.in.start).Seconds(), detect.Bytes(last.in.up), detect.Bytes(last.in.down), detect.Bytes(last.out.up), detect.Bytes(last.out.down)),
		fmt.Sprintf("chance gives so many at most once in 10^%.0f times", min(30, math.Floor(-c.LogP/math.Ln10))),
	}
	for i, f := range c.facts {
		way := "who came in and the system"
		if i == 1 {
			way = "the system and where it went on to"
		}
		all = append(all, fmt.Sprintf("%s were first seen to talk at %s", way, detect.Clock(f.First)))
	}
	return append(all, "the inventory does not allow both sessions")
}

func (c *chain) nextSteps() []string {
	device := c.in.Asset().Name()
	return []string{
		fmt.Sprintf("Ask whoever runs %s whether somebody works through it on purpose. Use the phone: mail and chat may be read.", device),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("If nobody does, look through the console of %s who is logged in, what runs in its guest shell or containers, and which capture or proxy processes it has. Do not log in over the network.", device),
		fmt.Sprintf("Treat %s, %s and %s as taken over until that is clear, and look at the alerts about each.", c.in.Peer().Name(), device, c.out.Peer().Name()),
		"Do not cut the sessions before security has agreed: that tells the intruder that you know.",
		"If it is meant to be, give the system a role that relays, or have its owner add allow rules for both sessions.",
	}
}

// sql is the query that shows the records of both sessions, since the first episode.
func (c *chain) sql(w detect.Window) string {
	first := c.episodes[0].in.start.Add(-time.Minute)
	span := detect.Window{Start: first, End: w.End}
	return "(" + c.in.SQL(span) + ")\nUNION ALL\n(" + c.out.SQL(span) + ")"
}

// Ready says how much history each zone has of what it takes to call a pair new, and
// what only sampling routers see.
func (d *Detector) Ready(ctx context.Context, at time.Time, h detect.History) ([]detect.Readiness, error) {
	all, err := pairs.History(ctx, h, at, Name, d.cfg.WarmUp,
		fmt.Sprintf("Until a zone has been watched for %s, relays are reported with less confidence, since they may be old.", detect.Duration(d.cfg.WarmUp)))
	if err != nil {
		return nil, err
	}
	sampled, err := pairs.Sampled(ctx, h, at, Name, "relays", d.inventory().ExporterName)
	if err != nil {
		return nil, err
	}
	return append(all, sampled...), nil
}
