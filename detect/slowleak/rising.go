package slowleak

import (
	"context"
	"math"
	"slices"
	"time"

	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
)

// What CUSUM is run with: shifts of one standard deviation are found soonest, and a day
// counts three at most.
const (
	cusumK   = 0.5
	cusumCap = 3
	// estimated is by how much h is above Siegmund's, which holds for scores by a known
	// baseline. By one that is estimated of some weeks, runs are shorter (Jensen et al.,
	// "Effects of parameter estimation on control chart properties", 2006).
	estimated = 1.5
	// runDays is the least number of days that make a rise; where it goes to a network
	// that is new to the system newDays, for that is first for the other rule.
	runDays = 3
	newDays = 10
)

// rise is a sum of small rises.
type rise struct {
	// sum is CUSUM's, of which limit was needed.
	sum, limit float64
	// first is the day on which the sum was last zero, days how many there are from then.
	first time.Time
	days  int
	// usual is what the system sent outside on a day before, sent what it sent on one of
	// the days.
	usual, sent float64
	// part is the share of the rise that went to the network.
	part float64
}

// rises runs CUSUM over the days of a system, [from, end). The days of the week and of
// the weekend have baselines of their own; what a day scores is judged by those before
// it, in the order of time.
func (c *Config) rises(days map[time.Time]daily, from, end time.Time, limit float64) (rise, bool) {
	parts := map[bool][]time.Time{}
	for at := from; at.Before(end); at = at.Add(day) {
		parts[baseline.Weekend(at)] = append(parts[baseline.Weekend(at)], at)
	}
	scores := map[time.Time]float64{}
	for _, dates := range parts {
		var values []float64
		sampling := 0.0
		for _, at := range dates {
			sent := float64(days[at].Sent)
			values = append(values, baseline.Log(sent))
			if sent > 0 {
				sampling = max(sampling, baseline.SamplingError(sent, days[at].Sampling))
			}
		}
		m := baseline.Default()
		m.Floor = math.Hypot(0.3, min(1, sampling))
		for i, score := range m.Learn(values).Scores {
			scores[dates[i]] = score
		}
	}
	r := rise{limit: limit, first: from}
	sum := baseline.CUSUM{K: cusumK, Cap: cusumCap}
	for at := from; at.Before(end); at = at.Add(day) {
		if sum.Step(scores[at]) == 0 {
			r.first = at.Add(day)
		}
	}
	r.sum, r.days = sum.S, int(end.Sub(r.first)/day)
	var before, since []float64
	for at := from; at.Before(end); at = at.Add(day) {
		if at.Before(r.first) {
			before = append(before, float64(days[at].Sent))
		} else {
			since = append(since, float64(days[at].Sent))
		}
	}
	r.usual, r.sent = baseline.Median(before), mean(since)
	return r, r.sum >= limit && r.days >= runDays && len(before) >= 7 && scores[end.Add(-day)] > cusumK &&
		(r.sent-r.usual)*float64(r.days) >= float64(c.Bytes)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / max(1, float64(len(values)))
}

// rising judges what each system sends outside in all, and to which network its rise
// went. A rise that is spread over many is growth.
func (s *scene) rising(ctx context.Context) ([]leak, error) {
	rows, err := s.days(ctx)
	if err != nil {
		return nil, err
	}
	systems := map[ledger.Key]map[time.Time]daily{}
	for _, r := range rows {
		k := r.key()
		if systems[k] == nil {
			systems[k] = map[time.Time]daily{}
		}
		systems[k][r.At] = r
	}
	limit := estimated * baseline.Threshold(len(systems), 1, s.cfg.FalsePerDay, cusumK)
	found := map[ledger.Key]rise{}
	var keys []ledger.Key
	for k, days := range systems {
		if r, ok := s.cfg.rises(days, s.from(k), s.w.End, limit); ok {
			found[k], keys = r, append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	slices.SortFunc(keys, ledger.Key.Compare)
	moves, err := s.moves(ctx, keys, nil, s.w.End.Add(-s.cfg.History))
	if err != nil {
		return nil, err
	}
	amounts := byDay(moves)
	var leaks []leak
	for _, k := range keys {
		if l, ok := s.attribute(found[k], k, amounts); ok {
			l.ends(moves)
			if !s.common[l.move.ToASN] && !s.law.Held(&l.move, s.w.End) {
				leaks = append(leaks, l)
			}
		}
	}
	return s.unshared(ctx, leaks)
}

// from is the first whole day of the history on which the system is known.
func (s *scene) from(k ledger.Key) time.Time {
	from := s.w.End.Add(-s.cfg.History)
	if first := s.known[k].first; first.After(from) {
		return first.Add(day - 1).Truncate(day)
	}
	return from
}

// attribute finds the network to which at least half of the rise went, in small pieces,
// more than came back.
func (s *scene) attribute(r rise, key ledger.Key, amounts map[pair]map[time.Time]amount) (leak, bool) {
	excess := (r.sent - r.usual) * float64(r.days)
	before := max(1, s.w.End.Sub(s.from(key)).Hours()/24-float64(r.days))
	var best leak
	for p, days := range amounts {
		if p.key != key {
			continue
		}
		old := 0.0
		for at, a := range days {
			if at.Before(r.first) {
				old += a.sent
			}
		}
		if _, isNew := s.isNew(key, days); isNew && r.days < newDays {
			continue
		}
		l := leak{pair: p}
		l.since(r.first, days, &s.cfg, s.w.End)
		grown := l.sent - old/before*float64(r.days)
		part := grown / excess
		if best.rise == nil || part > best.rise.part || part == best.rise.part && p.network.Addr().Less(best.network.Addr()) {
			best, best.rise = l, &r
			best.rise = &rise{r.sum, r.limit, r.first, r.days, r.usual, r.sent, part}
		}
	}
	return best, best.rise != nil && best.rise.part >= 0.5 && best.peak < float64(s.cfg.HourBytes) && best.balance() >= s.cfg.Balance &&
		best.recent >= runDays
}
