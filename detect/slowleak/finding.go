package slowleak

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/ledger"
)

// start is what both rules' findings have in common, the evidence of its
// last active day included: an alert adds up its days.
func (s *scene) start(ctx context.Context, rule string, l *leak, from []netip.Addr) (alert.Finding, error) {
	f := alert.Finding{
		Detector: Name, Rule: rule, WindowStart: s.w.Start, WindowEnd: s.w.End,
		Asset: l.move.Sender(), Peer: l.move.Receiver(), Initiator: initiator(l.move.Opened), Protocol: l.move.Protocol, Port: l.move.Port,
		Techniques: []alert.Technique{detect.DataTransferSizeLimits, detect.ScheduledTransfer, detect.ExfiltrationOverC2},
	}
	ev := ledger.Evidence{Window: detect.Window{Start: l.last, End: l.last.Add(day)}, Senders: from, Network: l.network,
		About: "What " + l.move.Sender().Name() + " sent to " + l.network.String()}
	if err := ev.Fill(ctx, s.h, &f, s.inv); err != nil {
		return f, err
	}
	ev.Window = detect.Window{Start: l.first, End: s.w.End}
	f.SQL = ev.SQL()
	return f, nil
}

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

// newFinding puts the leaks to one new network, the largest first, into words.
func (s *scene) newFinding(ctx context.Context, group []leak) (alert.Finding, error) {
	l := &group[0]
	var from []netip.Addr
	total, first := 0.0, l.first
	for _, x := range group {
		from = append(from, x.from...)
		total += x.sent
		if x.first.Before(first) {
			first = x.first
		}
	}
	f, err := s.start(ctx, ruleNew, l, from)
	if err != nil {
		return f, err
	}
	f.ID = alert.Identity(Name, ruleNew, l.network.String())
	f.Confidence = s.confidence(l)
	technique := alert.High
	if len(group) >= 3 { // more likely a new service than a leak
		technique = alert.Medium
	}
	for i := range group {
		p := group[i].move.Sender()
		f.Severity = max(f.Severity, detect.Grade(technique, p.ZoneKind, p.Role, f.Confidence))
	}
	days := int(s.w.End.Sub(l.first) / day)
	network := l.network.String()
	who := ledger.SystemText(l.move.Sender())
	if len(group) > 1 {
		who += fmt.Sprintf(" and %d more", len(group)-1)
	}
	f.Title = fmt.Sprintf("%s sent %s in %d days, little by little, to %s, which is new to it", who, detect.Bytes(uint64(total)), days, detect.PeerText(l.move.Receiver()))
	f.Summary = fmt.Sprintf("Since %s %s has sent %s to %s, on %d of the last 7 days, never more than %s in an hour. It is known since %s and had not sent anything there before. "+
		"Steady small uploads to one new network are how data are carried away without a peak.",
		first.Format("2006-01-02"), who, detect.Bytes(uint64(total)), network, l.recent, detect.Bytes(uint64(l.peak)), s.known[l.key].first.Format("2006-01-02"))
	f.Reasons = append(s.reasons(l), fmt.Sprintf("first seen on %s, %d days ago; %s is known since %s", l.first.Format("2006-01-02"), days,
		l.move.Sender().Name(), s.known[l.key].first.Format("2006-01-02")))
	for _, x := range group[1:min(len(group), 5)] {
		f.Reasons = append(f.Reasons, fmt.Sprintf("%s sent it %s since %s as well", ledger.SystemText(x.move.Sender()), detect.Bytes(uint64(x.sent)), x.first.Format("2006-01-02")))
	}
	f.Measures = []alert.Measure{
		{Name: "sent since it began", Observed: total, Unit: "bytes"},
		{Name: "active days of the last 7", Observed: float64(l.recent), Unit: "days"},
		{Name: "systems that talk with the network", Observed: float64(max(l.sharers, uint64(len(group)))), Expected: float64(s.hosts), Unit: "hosts",
			Rarity: min(1, float64(max(l.sharers, uint64(len(group))))/float64(max(1, s.hosts)))},
	}
	f.NextSteps = s.steps(l)
	return f, nil
}

// risingFinding puts a rise into words.
func (s *scene) risingFinding(ctx context.Context, l *leak) (alert.Finding, error) {
	f, err := s.start(ctx, ruleGrowing, l, l.from)
	if err != nil {
		return f, err
	}
	f.ID = alert.Identity(Name, ruleGrowing, l.move.Sender().Name(), l.network.String())
	r := l.rise
	f.Confidence = s.confidence(l)
	from := l.move.Sender()
	f.Severity = detect.Grade(alert.High, from.ZoneKind, from.Role, f.Confidence)
	who, sent, usual := ledger.SystemText(from), detect.Bytes(uint64(r.sent)), detect.Bytes(uint64(r.usual))
	f.Title = fmt.Sprintf("%s sends %s a day outside, usually %s, for %d days, mostly more to %s", who, sent, usual, r.days, detect.PeerText(l.move.Receiver()))
	f.Summary = fmt.Sprintf("For %d days %s has sent %s a day out, before that %s. No day stands out, their sum does: %.0f %% of the rise went to %s. "+
		"A slow rise toward one network may be data carried away in small pieces.", r.days, who, sent, usual, 100*min(1, r.part), l.network)
	f.Reasons = append([]string{fmt.Sprintf("the sum of daily scores (CUSUM) is %.1f; above %.1f it would be wrong about %g systems a day in all", r.sum, r.limit, s.cfg.FalsePerDay)}, s.reasons(l)...)
	f.Measures = []alert.Measure{
		{Name: "sent outside in a day", Observed: r.sent, Expected: r.usual, Unit: "bytes"},
		{Name: "sum of daily scores", Observed: r.sum, Expected: r.limit},
	}
	f.NextSteps = s.steps(l)
	return f, nil
}

// confidence grows with the days, and where nearly nothing comes back.
func (s *scene) confidence(l *leak) float64 {
	c := 0.5 + 0.02*float64(min(10, l.active)) + 0.2*max(0, l.balance()-s.cfg.Balance)
	return math.Round(100*min(0.9, c)) / 100
}

func (s *scene) reasons(l *leak) []string {
	return []string{
		fmt.Sprintf("%s to %s over %s since %s, on %d of the last 7 days, in %.0f hours", detect.Bytes(uint64(l.sent)), l.network,
			detect.Service(l.move.Protocol, l.move.Port), l.first.Format("2006-01-02"), l.recent, l.hours),
		fmt.Sprintf("%s came back: the balance (out-in)/(out+in) is %+.2f; who reads or is updated gets more than it sends", detect.Bytes(uint64(l.received)), l.balance()),
		fmt.Sprintf("never more than %s in an hour, which no single window shows", detect.Bytes(uint64(l.peak))),
		fmt.Sprintf("%d of the %d systems that talk with anything outside talk with this network; no rule of the inventory allows it", l.sharers, s.hosts),
	}
}

func (s *scene) steps(l *leak) []string {
	from := l.move.Sender()
	who := "whoever runs " + from.Name()
	if from.Zone != "" {
		who += " in " + from.Zone
	}
	return []string{
		fmt.Sprintf("Ask %s what sends to %s every day: a new licence or monitoring service, a partner, an agent that somebody installed.", who, strings.TrimSpace(detect.PeerText(l.move.Receiver()))),
		"Run the query of this alert: the times and sizes of the sessions show whether a program does it.",
		"If nobody knows it, do not block it yet: call security, keep " + from.Name() + " running, and find the process through its console.",
		"If it is wanted, have the owner add an allow rule: " + ledger.ServiceText(l.move.Receiver()) + ".",
	}
}
