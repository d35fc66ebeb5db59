package staging

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
)

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

// shippedFinding puts a hoard into words. The asset is the host.
func (s *scene) shippedFinding(ctx context.Context, h *hoard) (alert.Finding, error) {
	host, to := h.to.Sender(), h.to.Receiver()
	f := alert.Finding{
		Detector: Name, Rule: ruleShipped, ID: alert.Identity(Name, ruleShipped, host.Name()), WindowStart: s.w.Start, WindowEnd: s.w.End,
		Asset: host, Peer: to, Initiator: initiator(h.to.Opened), Protocol: h.to.Protocol, Port: h.to.Port,
		Techniques: []alert.Technique{detect.RemoteDataStaging, detect.ExfiltrationOverC2},
	}
	ev := ledger.Evidence{Window: detect.Window{Start: h.at, End: s.w.End}, Senders: h.addrs, About: "What " + host.Name() + " collected and sent"}
	if err := ev.Fill(ctx, s.h, &f, s.inv); err != nil {
		return f, err
	}
	f.Confidence = math.Round(100*min(0.95, 0.55+0.05*float64(min(4, len(h.sources)-s.cfg.Sources))+0.2*min(1, h.sent/h.got))) / 100
	f.Severity = detect.Grade(alert.High, host.ZoneKind, host.Role, f.Confidence)
	for i := range h.sources {
		f.Severity = max(f.Severity, detect.Grade(alert.High, h.sources[i].FromKind, h.sources[i].FromRole, f.Confidence))
	}
	got, sent := detect.Bytes(uint64(h.got)), detect.Bytes(uint64(h.sent))
	f.Title = fmt.Sprintf("%s collected %s from %d systems and sent %s to %s", ledger.SystemText(host), got, len(h.sources), sent, detect.PeerText(to))
	f.Summary = fmt.Sprintf("Within a day from %s, %s got %s from %d protected systems, usually %s a day. Since then %s went on to %s, which it usually does not send to. "+
		"Collecting in one place before carrying away is how intruders take much at once.",
		detect.Clock(h.at), ledger.SystemText(host), got, len(h.sources), detect.Bytes(uint64(h.usual)), sent, detect.PeerText(to))
	f.Reasons = []string{
		fmt.Sprintf("%s got in the day from %s, usually %s a day", got, detect.Clock(h.at), detect.Bytes(uint64(h.usual))),
		ledger.RarityText(h.score),
		fmt.Sprintf("%s sent on since then above what is usual, %s, over %s", sent, part(h.sent/max(1, h.got-h.usual)), detect.Service(h.to.Protocol, h.to.Port)),
	}
	for _, m := range h.sources[:min(5, len(h.sources))] {
		f.Reasons = append(f.Reasons, fmt.Sprintf("%s of it from %s over %s", detect.Bytes(m.Sent), detect.AssetText(m.Sender()), detect.Service(m.Protocol, m.Port)))
	}
	f.Measures = []alert.Measure{
		{Name: "collected in a day", Observed: h.got, Expected: h.usual, Unit: "bytes", Rarity: math.Exp(baseline.LogNormalTail(h.score))},
		{Name: "sent on", Observed: h.sent, Unit: "bytes"},
		{Name: "systems collected from", Observed: float64(len(h.sources)), Unit: "hosts"},
	}
	f.NextSteps = []string{
		"Ask whoever runs " + host.Name() + " whether a collection was planned: a migration, a dump for support, a new backup.",
		"Run the query of this alert and keep its output with the ticket: it shows what came in, from where, and what went out.",
		fmt.Sprintf("If nobody planned it, treat %s as taken over: keep it running, do not log in over the network, call security, and ask them before blocking %s.", host.Name(), to.Name()),
		"Change the credentials that " + host.Name() + " used on the systems it collected from: " + strings.Join(names(h), ", ") + ", and whatever else the query shows.",
		"If collecting is its task, give it a role of detect.staging.collectors in the inventory, or allow the way on which it sends: " + ledger.ServiceText(to) + ".",
	}
	return f, nil
}

// part is how much of what was collected was sent on. The next days may collect as well.
func part(share float64) string {
	if share > 1 {
		return "more than was collected that day"
	}
	return fmt.Sprintf("%.0f %% of what was collected that day above what is usual", 100*share)
}

func names(h *hoard) (all []string) {
	for i := range h.sources[:min(5, len(h.sources))] {
		all = append(all, h.sources[i].Sender().Name())
	}
	return all
}

// readFinding puts an unusual reader into words. The asset is the system that was read.
func (s *scene) readFinding(ctx context.Context, r *reading) (alert.Finding, error) {
	from, to := r.move.Sender(), r.move.Receiver()
	f := alert.Finding{
		Detector: Name, Rule: ruleRead, ID: alert.Identity(Name, ruleRead, from.Name(), to.Name()), WindowStart: s.w.Start, WindowEnd: s.w.End,
		Asset: from, Peer: to, Initiator: initiator(r.move.Opened), Protocol: r.move.Protocol, Port: r.move.Port,
		Techniques: []alert.Technique{detect.DataFromInformationRepo, detect.RemoteDataStaging},
	}
	ev := ledger.Evidence{Window: detect.Window{Start: s.w.End.Add(-day), End: s.w.End}, Senders: r.addrs, Network: netip.PrefixFrom(r.move.ToAddr, r.move.ToAddr.BitLen()),
		About: "What " + to.Name() + " got from " + from.Name()}
	if err := ev.Fill(ctx, s.h, &f, s.inv); err != nil {
		return f, err
	}
	f.Confidence = math.Round(100*min(0.9, 0.55+0.02*float64(min(15, r.days)))) / 100
	f.Severity = detect.Grade(alert.High, from.ZoneKind, from.Role, f.Confidence)
	got := detect.Bytes(uint64(r.got))
	never, days := "nothing before", fmt.Sprintf("nothing on any of %d days before", r.days)
	if r.most >= 1 {
		most := detect.Bytes(uint64(r.most))
		never, days = "never more than "+most+" before", fmt.Sprintf("at most %s on one of %d days before", most, r.days)
	}
	f.Title = fmt.Sprintf("%s got %s from %s within a day, %s", detect.PeerText(to), got, detect.AssetText(from), never)
	f.Summary = fmt.Sprintf("%s read %s from %s within 24 hours, and %s. "+
		"The system holds what intruders come for, and no rule of the inventory allows the reader.", detect.PeerText(to), got, detect.AssetText(from), days)
	f.Reasons = []string{
		got + " within 24 hours, " + days,
		ledger.RarityText(r.score),
		"over " + detect.Service(r.move.Protocol, r.move.Port) + "; no rule of the inventory allows it",
	}
	f.Measures = []alert.Measure{{Name: "read in a day", Observed: r.got, Expected: r.most, Unit: "bytes", Rarity: math.Exp(baseline.LogNormalTail(r.score))}}
	f.NextSteps = []string{
		"Ask whoever runs " + from.Name() + " who read from it, and with whose account: a dump, a migration, a new tool.",
		"Run the query of this alert and keep its output with the ticket.",
		fmt.Sprintf("If nobody knows it, treat %s as taken over and look at where it sends: do not log in to it over the network.", to.Name()),
		"If it is wanted, have the owner add an allow rule from " + to.Name() + " to " + from.Name() + ".",
	}
	return f, nil
}
