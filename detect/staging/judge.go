package staging

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
	"tapwatch/flow"
)

// hoard is what a host collected, and what it gave away after that.
type hoard struct {
	key ledger.Key
	// at is the day of the collecting, got what it got, usual what it usually gets in a
	// day.
	at         time.Time
	got, usual float64
	score      float64
	// sources are the largest move of each system that it got something from.
	sources []ledger.Move
	// to is the largest move to the receiver of most, sent what the receiver got above
	// what it usually gets, from at on.
	to    ledger.Move
	sent  float64
	addrs []netip.Addr
}

// account is what one host got and gave, by day.
type account struct {
	got  map[time.Time]map[ledger.Key]float64
	gave map[place]map[time.Time]float64
	// largest are the largest moves from each system on each day, and to each place.
	from  map[time.Time]map[ledger.Key]ledger.Move
	to    map[place]ledger.Move
	addrs []netip.Addr
	// sampling is the largest interval of what it got.
	sampling uint32
}

// place is a receiver: an inside system, or a network outside.
type place struct {
	key     ledger.Key
	network netip.Prefix
}

func placeOf(m *ledger.Move) place {
	if m.ToZone != "" {
		return place{key: m.To()}
	}
	return place{network: ledger.Network(m.ToAddr)}
}

// accounts part the moves by host. What a rule allows counts as got, for an allowed way
// is what an intruder takes, and not as given away.
func (s *scene) accounts(keys []ledger.Key, moves []ledger.Move) map[ledger.Key]*account {
	all := map[ledger.Key]*account{}
	for _, k := range keys {
		all[k] = &account{got: map[time.Time]map[ledger.Key]float64{}, gave: map[place]map[time.Time]float64{},
			from: map[time.Time]map[ledger.Key]ledger.Move{}, to: map[place]ledger.Move{}}
	}
	for i := range moves {
		m := &moves[i]
		if a := all[m.To()]; a != nil && inner(m) {
			if a.got[m.At] == nil {
				a.got[m.At], a.from[m.At] = map[ledger.Key]float64{}, map[ledger.Key]ledger.Move{}
			}
			a.got[m.At][m.From()] += float64(m.Sent)
			if m.Sent > a.from[m.At][m.From()].Sent {
				a.from[m.At][m.From()] = *m
			}
			a.sampling = max(a.sampling, m.Sampling)
			a.addrs = append(a.addrs, m.ToAddr)
		}
		if a := all[m.From()]; a != nil && s.law.Rule(m) == "" {
			p := placeOf(m)
			if a.gave[p] == nil {
				a.gave[p] = map[time.Time]float64{}
			}
			a.gave[p][m.At] += float64(m.Sent)
			if m.Sent > a.to[p].Sent {
				a.to[p] = *m
			}
			a.addrs = append(a.addrs, m.FromAddr)
		}
	}
	for _, a := range all {
		slices.SortFunc(a.addrs, netip.Addr.Compare)
		a.addrs = slices.Compact(a.addrs)
	}
	return all
}

// inner tells whether the move came from lawful intercept or the core.
func inner(m *ledger.Move) bool {
	return m.FromKind == flow.ZoneLawfulIntercept || m.FromKind == flow.ZoneCore
}

// shipped are the hosts that collected and sent away.
func (s *scene) shipped(ctx context.Context) ([]hoard, error) {
	keys, err := s.hosts(ctx)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	life, err := s.life(ctx, keys)
	if err != nil {
		return nil, err
	}
	if keys, err = s.plausible(ctx, keys, life); err != nil || len(keys) == 0 {
		return nil, err
	}
	moves, err := s.moves(ctx, keys)
	if err != nil {
		return nil, err
	}
	accounts := s.accounts(keys, moves)
	var all []hoard
	for _, k := range keys {
		if h, ok := s.collected(k, accounts[k], life[k]); ok && !s.law.Held(&h.to, s.w.End) {
			all = append(all, h)
		}
	}
	return all, nil
}

// plausible are the hosts of which one of the last days stands out at all, which spares
// the others the longer query. Most of those that got much and gave much do so each day.
func (s *scene) plausible(ctx context.Context, keys []ledger.Key, life map[ledger.Key]time.Time) ([]ledger.Key, error) {
	totals, err := s.totals(ctx, keys)
	if err != nil {
		return nil, err
	}
	var left []ledger.Key
	for _, k := range keys {
		days := totals[k]
		usual, known := s.usual(life[k], func(at time.Time) float64 { return days[at] })
		for at := s.w.End.Add(-s.cfg.Within); known && at.Before(s.w.End); at = at.Add(day) {
			// The totals hold small amounts that do not count later on: half of the score is on the safe side.
			if usual.ZWith(baseline.Log(days[at]), 0) >= s.cfg.Score/2 {
				left = append(left, k)
				break
			}
		}
	}
	return left, nil
}

// usual is what a host gets on a day, learned from the days before the last ones on
// which it was known; ok is false where these are too few.
func (s *scene) usual(first time.Time, got func(at time.Time) float64) (b baseline.Baseline, ok bool) {
	var values []float64
	for at := s.w.End.Add(-s.cfg.History); at.Before(s.w.End.Add(-s.cfg.Within)); at = at.Add(day) {
		if !at.Before(first) {
			values = append(values, baseline.Log(got(at)))
		}
	}
	return s.cfg.model().Learn(values).Baseline, len(values) >= 5
}

// model is how a day's amount is learned: hosts that people work on vary.
func (c *Config) model() baseline.Model {
	m := baseline.Default()
	m.Floor = 0.5
	return m
}

// sure is the least score, which unlike z takes into account how short the history is.
// 1 of 740 days is as high where nothing is wrong; sources and sending come on top.
const sure = 3

// collected judges the last days of a host, the latest first, against those before them.
func (s *scene) collected(key ledger.Key, a *account, first time.Time) (h hoard, ok bool) {
	if first.IsZero() || s.w.End.Sub(first) < s.cfg.WarmUp {
		return h, false
	}
	recent := s.w.End.Add(-s.cfg.Within)
	usual, known := s.usual(first, func(at time.Time) float64 { return total(a.got[at]) })
	if !known {
		return h, false
	}
	for at := s.w.End.Add(-day); !at.Before(recent); at = at.Add(-day) {
		h = hoard{key: key, at: at, got: total(a.got[at]), usual: max(0, baseline.Unlog(usual.Center)), addrs: a.addrs}
		y, se := baseline.Log(h.got), baseline.SamplingError(h.got, a.sampling)
		z := usual.ZWith(y, se)
		h.score = usual.ScoreWith(y, se)
		for k, amount := range a.got[at] {
			if amount >= float64(s.part()) {
				h.sources = append(h.sources, a.from[at][k])
			}
		}
		if z < s.cfg.Score || h.score < sure || len(h.sources) < s.cfg.Sources || h.got-h.usual < float64(s.cfg.Bytes) {
			continue
		}
		slices.SortFunc(h.sources, func(x, y ledger.Move) int { return cmp.Or(cmp.Compare(y.Sent, x.Sent), x.From().Compare(y.From())) })
		s.sent(&h, a, recent)
		if h.sent >= s.cfg.Share*(h.got-h.usual) {
			return h, true
		}
	}
	return h, false
}

// sent finds who got most of what the host gave away since the collecting, above what
// that receiver usually gets. Who was collected from does not count.
func (s *scene) sent(h *hoard, a *account, recent time.Time) {
	sources := map[ledger.Key]bool{}
	for i := range h.sources {
		sources[h.sources[i].From()] = true
	}
	for p, days := range a.gave {
		if sources[p.key] {
			continue
		}
		var before []float64
		for at := s.w.End.Add(-s.cfg.History); at.Before(recent); at = at.Add(day) {
			before = append(before, days[at])
		}
		usual, sent := baseline.Median(before), 0.0
		for at := h.at; at.Before(s.w.End); at = at.Add(day) {
			sent += days[at] - usual
		}
		to := a.to[p]
		if sent > h.sent || sent == h.sent && h.sent > 0 && to.ToAddr.Less(h.to.ToAddr) {
			h.sent, h.to = sent, to
		}
	}
}

func total(amounts map[ledger.Key]float64) float64 {
	keys := make([]ledger.Key, 0, len(amounts))
	for k := range amounts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, ledger.Key.Compare) // the sum of floats depends on their order
	sum := 0.0
	for _, k := range keys {
		sum += amounts[k]
	}
	return sum
}
