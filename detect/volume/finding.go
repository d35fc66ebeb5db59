package volume

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
)

// finding puts an unusual volume into words.
func (s *scene) finding(ctx context.Context, c *kase, u unusual) (alert.Finding, error) {
	first, last := u.hits[0], u.hits[len(u.hits)-1]
	to, one := u.to[0], u.to[0].bytes >= 0.5*u.total
	from := to.move.Sender()
	f := alert.Finding{
		Detector: Name, Rule: ruleUnusual, WindowStart: s.w.Start, WindowEnd: s.w.End,
		Asset: from, Peer: to.move.Receiver(), Initiator: initiator(to.move.Opened), Protocol: to.move.Protocol, Port: to.move.Port,
		Techniques: []alert.Technique{detect.ExfiltrationOverC2, detect.ExfiltrationOverAlternativeProtocol},
	}
	if u.allowed {
		f.Rule = ruleAllowed
	}
	f.ID = alert.Identity(Name, f.Rule, from.Name())
	ev := ledger.Evidence{Window: detect.Window{Start: first.at, End: last.at.Add(c.span)}, Senders: senders(c, u.key),
		About: "What " + from.Name() + " sent"}
	if one {
		ev.Network = to.network
		ev.About += " to " + to.network.String()
	}
	if err := ev.Fill(ctx, s.h, &f, s.inv); err != nil {
		return f, err
	}
	best := slices.MaxFunc(u.hits, func(a, b hit) int { return int(math.Copysign(1, a.score-b.score)) })
	usual := uint64(max(0, baseline.Unlog(best.usual.Center)))
	f.Confidence = confidence(&u, best.score, one)
	f.Severity = s.severity(&u, from, f.Confidence)
	spent := spans(len(u.hits), c.span)
	f.Title = fmt.Sprintf("%s sent %s in %s to %s, usually %s", ledger.SystemText(from), detect.Bytes(uint64(u.total)), spent,
		receiverText(&u, one), hourly(usual))
	f.Measures = []alert.Measure{
		{Name: "sent in " + spans(1, c.span), Observed: best.bytes, Expected: float64(usual), Unit: "bytes", Rarity: math.Exp(baseline.LogNormalTail(best.score))},
		{Name: "share of the largest receiver", Observed: to.bytes / u.total},
	}
	f.Reasons = s.reasons(c, &u, best, usual)
	f.Summary = s.summary(c, &u, from, best, usual, one)
	f.NextSteps = steps(&u, from, to.move.Receiver(), one)
	return f, nil
}

// initiator is the end that opened it, as findings name it: the asset is who sent.
func initiator(opened string) string {
	switch opened {
	case "from":
		return "asset"
	case "to":
		return "peer"
	default:
		return ""
	}
}

// hourly is an amount in an hour, in words.
func hourly(bytes uint64) string {
	if bytes == 0 {
		return "nothing"
	}
	return detect.Bytes(bytes) + " an hour"
}

// senders are the addresses from which the system sent.
func senders(c *kase, key ledger.Key) []netip.Addr {
	var all []netip.Addr
	for i := range c.moves {
		if m := &c.moves[i]; m.From() == key {
			all = append(all, m.FromAddr)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all)
}

// spans is "an hour", "2 hours", "10 minutes".
func spans(n int, span time.Duration) string {
	if n == 1 && span == time.Hour {
		return "an hour"
	}
	if span == time.Hour {
		return fmt.Sprintf("%d hours", n)
	}
	return detect.Duration(time.Duration(n) * span)
}

func receiverText(u *unusual, one bool) string {
	to := u.to[0]
	if one {
		return detect.PeerText(to.move.Receiver())
	}
	return detect.Count(uint64(len(u.to)), "network")
}

// confidence grows with the score and with one receiver for most of it; many customers
// who ask are a crowd.
func confidence(u *unusual, score float64, one bool) float64 {
	c := 0.55 + min(0.25, (score-sure)/20)
	if one {
		c += 0.15
	}
	if u.crowd() {
		c -= 0.3
	}
	return math.Round(100*min(0.95, max(0.1, c))) / 100
}

func (s *scene) severity(u *unusual, from alert.Party, confidence float64) alert.Severity {
	technique := alert.High
	if u.allowed || u.crowd() {
		technique = alert.Medium
	}
	severity := detect.Grade(technique, from.ZoneKind, from.Role, confidence)
	if technique == alert.Medium {
		return min(severity, alert.Medium)
	}
	return severity
}

func (s *scene) reasons(c *kase, u *unusual, best hit, usual uint64) []string {
	low, high := baseline.Unlog(best.usual.Center-2*best.usual.Scale), baseline.Unlog(best.usual.Center+2*best.usual.Scale)
	mostly := ""
	if high >= 1 {
		mostly = fmt.Sprintf(", mostly %s to %s", detect.Bytes(uint64(max(0, low))), detect.Bytes(uint64(high)))
	}
	days := "weekdays"
	if baseline.Weekend(best.at) {
		days = "weekends"
	}
	all := []string{
		fmt.Sprintf("%s in the %s from %s; usual around this hour on %s is %s%s (%.0f hours of the last %s)",
			detect.Bytes(uint64(best.bytes)), spanName(c.span), detect.Clock(best.at), days, hourly(usual), mostly, best.usual.N, detect.Duration(s.cfg.History)),
		fmt.Sprintf("%.1f spreads above the usual; %s", best.z, ledger.RarityText(best.score)),
	}
	if len(u.hits) > 1 {
		all = append(all, fmt.Sprintf("%d of 3 %s in a row were as unusual, %s together", len(u.hits), spansName(c.span), detect.Bytes(uint64(u.total))))
	} else {
		all = append(all, fmt.Sprintf("only once in three %s, but more than %s", spansName(c.span), detect.Bytes(s.cfg.OnceBytes)))
	}
	for _, to := range u.to[:min(3, len(u.to))] {
		all = append(all, fmt.Sprintf("%s of it (%.0f %%) to %s over %s", detect.Bytes(uint64(to.bytes)), 100*to.bytes/u.total,
			detect.PeerText(to.move.Receiver()), detect.Service(to.move.Protocol, to.move.Port)))
	}
	if u.crowd() {
		all = append(all, fmt.Sprintf("%d networks asked for it, none got a fifth: this looks like a rush of customers", len(u.to)))
	}
	if u.allowed {
		all = append(all, "rule "+s.law.Rule(&u.to[0].move)+" of the inventory allows the traffic; only its amount is unusual")
	}
	return all
}

func spanName(span time.Duration) string {
	if span == time.Hour {
		return "hour"
	}
	return detect.Duration(span)
}

func spansName(span time.Duration) string {
	if span == time.Hour {
		return "hours"
	}
	return "times " + detect.Duration(span)
}

func (s *scene) summary(c *kase, u *unusual, from alert.Party, best hit, usual uint64, one bool) string {
	text := fmt.Sprintf("%s sent %s out in %s. At this time of the week it usually sends %s.",
		ledger.SystemText(from), detect.Bytes(uint64(u.total)), spans(len(u.hits), c.span), hourly(usual))
	if one {
		text += fmt.Sprintf(" Most of it went to %s, which has not been given as much in the weeks before.", detect.PeerText(u.to[0].move.Receiver()))
	} else {
		text += fmt.Sprintf(" It went to %s, the largest share to %s.", detect.Count(uint64(len(u.to)), "network"), detect.PeerText(u.to[0].move.Receiver()))
	}
	switch {
	case u.allowed:
		text += " A rule of the inventory allows the way; the amount may be a planned transfer, or a stolen account on an allowed path."
	case u.crowd():
		text += " Very many asked for it and each got little, as when customers rush to a service."
	default:
		text += " Data may be leaving the network."
	}
	return text
}

func steps(u *unusual, from, to alert.Party, one bool) []string {
	who := "whoever runs " + from.Name()
	if from.Zone != "" {
		who += " in " + from.Zone
	}
	all := []string{
		"Call " + who + " and ask whether a transfer was planned: a backup, a migration, an upgrade, a test.",
		"Run the query of this alert and keep its output with the ticket: it shows ports, times and routers.",
	}
	if u.crowd() {
		return append(all, "Look whether the service of "+from.Name()+" is in unusual demand (a failure elsewhere, a software release); if so, close the alert.")
	}
	if one {
		all = append(all, fmt.Sprintf("If nobody planned it, ask security before blocking %s: blocking tells the intruder that you know. Keep %s running and look at it through its console.", to.Addr, from.Name()))
	} else {
		all = append(all, "If nobody planned it, keep "+from.Name()+" running, call security, and look at it through its console.")
	}
	return append(all, "If it was planned and will come again, have the owner add an allow rule for it: "+strings.TrimSpace(ledger.ServiceText(to))+".")
}
