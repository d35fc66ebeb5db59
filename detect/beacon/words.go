package beacon

import (
	"fmt"
	"math"
	"time"

	"tapwatch/detect"
)

// texts is what a finding's texts are made of.
type texts struct {
	*candidate
	d   *Detector
	end time.Time
}

func (c *candidate) texts(d *Detector, l *look) texts { return texts{c, d, l.w.End} }

// deed says who calls whom.
func (t texts) deed() string {
	service := detect.Service(t.Protocol, t.Port)
	if t.caller() == "peer" {
		return fmt.Sprintf("%s calls %s by %s", detect.PeerText(t.PeerParty()), t.system(), service)
	}
	return fmt.Sprintf("%s calls %s by %s", t.system(), detect.PeerText(t.PeerParty()), service)
}

// system names the asset in few words.
func (t texts) system() string {
	p := t.AssetParty()
	if p.Zone == "" {
		return p.Name()
	}
	return p.Name() + " of " + p.Zone
}

// beat says how.
func (t texts) beat() string {
	if t.rule == ruleCoverage {
		return fmt.Sprintf("in %d of the last %d hours", t.coverage.Hours, t.coverage.Of)
	}
	return "about every " + shortSpan(t.rhythm.Median)
}

// acquaintance says since when the two ends have talked, and who else talks with the peer.
func (t texts) acquaintance() string {
	since := fmt.Sprintf("They were first seen to talk at %s", detect.Clock(t.fact.First))
	if !t.fact.Warm(t.end, t.d.cfg.WarmUp) {
		since += fmt.Sprintf("; %s has been watched for less than %s, so it may be old", t.AssetZone, detect.Duration(t.d.cfg.WarmUp))
	}
	return fmt.Sprintf("%s; %s of %d that are watched ever talked with %s.", since, detect.Count(uint64(t.fact.Hosts), "system"), t.fact.Of, t.PeerAddr.Unmap())
}

func (t texts) reasons() []string {
	all := []string{t.regularity()}
	all = append(all, fmt.Sprintf("%d of %d watched systems ever talked with %s", t.fact.Hosts, t.fact.Of, t.PeerAddr.Unmap()))
	if t.fact.Warm(t.end, t.d.cfg.WarmUp) {
		all = append(all, fmt.Sprintf("the two ends have talked for %s only, since %s", detect.Duration(t.fact.Age(t.end)), detect.Clock(t.fact.First)))
	} else {
		all = append(all, fmt.Sprintf("%s has been watched for %s of the %s after which a pair can be called new", t.AssetZone,
			detect.Duration(t.end.Sub(t.fact.Since)), detect.Duration(t.d.cfg.WarmUp)))
	}
	if even, ok := t.evenness(); ok && even <= 0.2 {
		all = append(all, fmt.Sprintf("the calls are of one size: they differ from the median by %.0f %%", 100*even))
	}
	if t.unanswered() {
		all = append(all, fmt.Sprintf("%d of the calls were answered: the server is gone, blocked or not there yet, and a program calls all the same", t.Established))
	}
	if t.fact.CommonNetwork() {
		all = append(all, fmt.Sprintf("it is less sure because %d of %d watched systems talk with the peer's network, AS%d", t.fact.NetworkHosts, t.fact.Of, t.ASN))
	}
	return append(all, "no rule of the inventory allows it")
}

// regularity is the main reason.
func (t texts) regularity() string {
	if t.rule == ruleCoverage {
		c := &t.coverage
		return fmt.Sprintf("%d calls in %d of the last %d hours; the calls of an hour vary by %.0f %%, by chance they would by %.0f %%: so even by chance %s",
			int(math.Round(c.Mean*float64(c.Of))), c.Hours, c.Of, 100*c.Variation, 100/math.Sqrt(c.Mean), rarity(c.LogP))
	}
	r := &t.rhythm
	return fmt.Sprintf("%d calls in %s; %d of %d intervals are between %s and %s, by chance %.0f would be: so many by chance %s",
		r.Calls, detect.Duration(time.Duration(t.days)*day), r.Inside, r.Intervals, shortSpan(r.Low), shortSpan(r.High),
		r.Chance*float64(r.Intervals), rarity(r.LogP))
}

// rarity writes a probability for people: "at most once in 10^12 times".
func rarity(logp float64) string {
	tens := -logp / math.Ln10
	if tens < 4 {
		return fmt.Sprintf("once in %.0f times", math.Exp(-logp))
	}
	return fmt.Sprintf("at most once in 10^%d times", int(min(tens, 30)))
}

func (t texts) nextSteps() []string {
	asset, peer := t.AssetParty().Name(), t.PeerAddr.Unmap()
	steps := []string{
		fmt.Sprintf("Ask whoever runs %s whether a program on it is meant to call %s: an agent, a licence check, a monitor. Use the phone: mail and chat may be read.", asset, peer),
		"Save the flow records before anything else: run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("Look at the other alerts about %s and about %s, and whether other systems talk with that address or its network.", asset, peer),
	}
	if t.caller() == "peer" {
		steps = append(steps, fmt.Sprintf("If nobody knows it, find out through the console of %s what answers on %s and who logs in there.", asset, detect.Service(t.Protocol, t.Port)))
	} else {
		steps = append(steps, fmt.Sprintf("If nobody knows it, find the program through the console of %s: which process opens the connections, since when, started by whom.", asset))
	}
	return append(steps,
		fmt.Sprintf("Treat %s as taken over until that is clear. Do not block %s before security has agreed: blocking tells the intruder that you know.", asset, peer),
		"If it is meant to be, have its owner add an allow rule for it to the inventory.")
}

// shortSpan writes a length of time in few words: "4.5 minutes", "45 seconds".
func shortSpan(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f seconds", d.Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.0f seconds", d.Seconds())
	case d < 10*time.Minute:
		return fmt.Sprintf("%.1f minutes", d.Minutes())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f hours", d.Hours())
	default:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	}
}
