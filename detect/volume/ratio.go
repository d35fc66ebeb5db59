package volume

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
)

// ratioDays is how many days before a day make its median, at least ratioNeed of them
// with traffic.
const (
	ratioDays = 14
	ratioNeed = 7
)

// balance is what a system sent and got back in a day.
type balance struct{ out, in float64 }

// ratio is the producer-consumer ratio: 1 sends only, -1 receives only. Bullard, Gerth,
// "PCR: a new flow metric", FloCon 2014.
func (b balance) ratio() float64 { return (b.out - b.in) / max(1, b.out+b.in) }

// ratios judges the day before the window.
func (s *scene) ratios(ctx context.Context) ([]alert.Finding, error) {
	today := s.w.Start.Add(-day)
	busy, err := s.sums(ctx, query{since: today, end: s.w.Start, step: day, least: s.cfg.DayBytes})
	if err != nil || len(busy) == 0 {
		return nil, err
	}
	keys := keysOf(busy)
	q := query{since: today.Add(-ratioDays * day), end: s.w.Start, step: day, keys: keys}
	sums, err := s.sums(ctx, q)
	if err != nil {
		return nil, err
	}
	if keys, err = s.worth(ctx, keys, sums, today); err != nil || len(keys) == 0 {
		return nil, err
	}
	q.keys, q.least = keys, s.cfg.DayBytes/100
	moves, err := s.moves(ctx, q)
	if err != nil {
		return nil, err
	}
	sums = slices.DeleteFunc(sums, func(x sum) bool { return !slices.Contains(keys, x.key()) })
	balances := s.balances(sums, moves)
	var findings []alert.Finding
	for _, key := range keys {
		shift, ok := s.cfg.shifted(balances[key], today)
		if !ok {
			continue
		}
		to := largest(moves, key, today, s.law)
		if to == nil || s.law.Held(to, s.w.Start) {
			continue
		}
		f, err := s.ratioFinding(ctx, shift, to, moves)
		if err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// worth are the systems worth a closer look: those that shift as it is, and those of
// which a rule allows something that day, which may hide the rest.
func (s *scene) worth(ctx context.Context, keys []ledger.Key, sums []sum, today time.Time) ([]ledger.Key, error) {
	moves, err := s.moves(ctx, query{since: today, end: s.w.Start, step: day, keys: keys, least: s.cfg.DayBytes / 100})
	if err != nil {
		return nil, err
	}
	ruled := map[ledger.Key]bool{}
	for i := range moves {
		if s.law.Rule(&moves[i]) != "" {
			ruled[moves[i].From()] = true
		}
	}
	raw := s.balances(sums, nil)
	var left []ledger.Key
	for _, k := range keys {
		if _, shifts := s.cfg.shifted(raw[k], today); shifts || ruled[k] {
			left = append(left, k)
		}
	}
	return left, nil
}

// balances are what systems sent and got back by day, without what a rule allows.
func (s *scene) balances(sums []sum, moves []ledger.Move) map[ledger.Key]map[time.Time]balance {
	all := map[ledger.Key]map[time.Time]balance{}
	for _, x := range sums {
		if all[x.key()] == nil {
			all[x.key()] = map[time.Time]balance{}
		}
		all[x.key()][x.At] = balance{float64(x.Sent), float64(x.Received)}
	}
	for i := range moves {
		if m := &moves[i]; s.law.Rule(m) != "" {
			b := all[m.From()][m.At]
			all[m.From()][m.At] = balance{b.out - float64(m.Sent), b.in - float64(m.Received)}
		}
	}
	return all
}

// shift is a day on which a system turned to sending.
type shift struct {
	day                 time.Time
	today               balance
	median, spread, out float64
	days                int
	highest             float64
}

// shifted tells whether the day's ratio is above the median of the days before by
// Config.Shift, and by three times their spread; the system sent at least twice as much
// as on most days; and no day before was like it.
func (c *Config) shifted(days map[time.Time]balance, today time.Time) (shift, bool) {
	x := shift{day: today, today: days[today], highest: -1}
	if x.today.out < float64(c.DayBytes) {
		return x, false
	}
	var ratios, outs []float64
	like := 0
	for at := today.Add(-ratioDays * day); at.Before(today); at = at.Add(day) {
		b := days[at]
		if b.out+b.in < float64(c.DayBytes)/20 {
			continue // the ratio of next to nothing tells nothing
		}
		ratios, outs = append(ratios, b.ratio()), append(outs, b.out)
		x.highest = max(x.highest, b.ratio())
		if b.ratio() >= x.today.ratio()-c.Shift/3 && b.out >= x.today.out/2 {
			like++
		}
	}
	x.days, x.median, x.out = len(ratios), baseline.Median(ratios), baseline.Median(outs)
	x.spread = 1.4826 * baseline.MAD(ratios)
	risen := x.today.ratio() - x.median
	return x, x.days >= ratioNeed && like == 0 && risen >= max(c.Shift, 3*x.spread) && x.today.out >= 2*x.out
}

// largest is the largest move of the system on the day that no rule allows; nil if none.
func largest(moves []ledger.Move, key ledger.Key, at time.Time, law *ledger.Law) *ledger.Move {
	for i := range moves { // the largest of a sender's come first
		if m := &moves[i]; m.From() == key && m.At.Equal(at) && law.Rule(m) == "" {
			return m
		}
	}
	return nil
}

func (s *scene) ratioFinding(ctx context.Context, x shift, to *ledger.Move, moves []ledger.Move) (alert.Finding, error) {
	from := to.Sender()
	f := alert.Finding{
		Detector: Name, Rule: ruleRatio, ID: alert.Identity(Name, ruleRatio, from.Name()), WindowStart: s.w.Start, WindowEnd: s.w.End,
		Asset: from, Peer: to.Receiver(), Initiator: initiator(to.Opened), Protocol: to.Protocol, Port: to.Port,
		Techniques: []alert.Technique{detect.ExfiltrationOverC2, detect.ExfiltrationOverAlternativeProtocol},
		Confidence: math.Round(100*min(0.9, 0.5+(x.today.ratio()-x.median)/4)) / 100,
	}
	ev := ledger.Evidence{Window: detect.Window{Start: x.day, End: x.day.Add(day)}, Network: ledger.Network(to.ToAddr),
		Senders: senders(&kase{moves: slices.Clone(moves)}, to.From()), About: "What " + from.Name() + " sent to " + ledger.Network(to.ToAddr).String()}
	if err := ev.Fill(ctx, s.h, &f, s.inv); err != nil {
		return f, err
	}
	f.Severity = detect.Grade(alert.Medium, from.ZoneKind, from.Role, f.Confidence)
	out, in := detect.Bytes(uint64(x.today.out)), detect.Bytes(uint64(x.today.in))
	date := x.day.Format("2006-01-02")
	f.Title = fmt.Sprintf("%s turned from receiving to sending: %s out, %s in on %s, most to %s", ledger.SystemText(from), out, in, date, detect.PeerText(to.Receiver()))
	if x.median > 0 {
		f.Title = fmt.Sprintf("%s sent far more than it received: %s out, %s in on %s, most to %s", ledger.SystemText(from), out, in, date, detect.PeerText(to.Receiver()))
	}
	f.Summary = fmt.Sprintf("On %s %s sent %s out and got %s back. On the days before it sent about %s, and the balance of both directions was another: "+
		"%+.2f now, %+.2f usually, where +1 sends only and -1 receives only. The largest part went to %s. A system that changes from a consumer to a producer may be carrying data away.",
		date, ledger.SystemText(from), out, in, detect.Bytes(uint64(x.out)), x.today.ratio(), x.median, detect.PeerText(to.Receiver()))
	f.Measures = []alert.Measure{
		{Name: "balance of directions, -1 to 1", Observed: x.today.ratio(), Expected: x.median},
		{Name: "sent in a day", Observed: x.today.out, Expected: x.out, Unit: "bytes"},
	}
	f.Reasons = []string{
		fmt.Sprintf("the balance (out-in)/(out+in) is %+.2f; the median of %d days before is %+.2f, the highest %+.2f", x.today.ratio(), x.days, x.median, x.highest),
		fmt.Sprintf("%s out on %s, usually %s a day", out, date, detect.Bytes(uint64(x.out))),
		fmt.Sprintf("%s of it to %s over %s", detect.Bytes(to.Sent), detect.PeerText(to.Receiver()), detect.Service(to.Protocol, to.Port)),
	}
	f.NextSteps = []string{
		"Ask whoever runs " + from.Name() + " whether its task has changed, or a transfer was planned.",
		"Run the query of this alert: it shows the records toward the largest receiver.",
		"If nobody knows of it, look for accounts and files of that day on " + from.Name() + " through its console, and call security.",
	}
	return f, nil
}
