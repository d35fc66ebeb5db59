package staging

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
)

// reading is what a host got, in a day, from a system that it never got much from.
type reading struct {
	read
	move  ledger.Move // the largest
	addrs []netip.Addr
	got   float64
	most  float64 // on a day before
	days  int
	score float64
}

// reads are the unusual readers of the last day: what they got is allowed by no rule,
// and ten times what they got on any day before.
func (s *scene) reads(ctx context.Context) ([]reading, error) {
	if s.cfg.ReadBytes == 0 {
		return nil, nil
	}
	moves, err := s.readers(ctx)
	if err != nil {
		return nil, err
	}
	all := s.gather(moves)
	if len(all) == 0 {
		return nil, nil
	}
	var pairs []read
	var targets []ledger.Key
	for i := range all {
		pairs, targets = append(pairs, all[i].read), append(targets, all[i].from)
	}
	before, err := s.pairs(ctx, pairs)
	if err != nil {
		return nil, err
	}
	life, err := s.life(ctx, targets)
	if err != nil {
		return nil, err
	}
	var strange []reading
	for i := range all {
		if r := &all[i]; s.strange(r, before[r.read], life[r.from]) {
			strange = append(strange, *r)
		}
	}
	return strange, nil
}

// gather adds up the moves that no rule allows, by reader. Systems of the same role and
// zone copy from one another; what goes outside is for other detectors.
func (s *scene) gather(moves []ledger.Move) []reading {
	var all []reading
	for i := range moves {
		m := &moves[i]
		if m.ToZone == "" || m.FromRole != "" && m.FromRole == m.ToRole && m.FromZone == m.ToZone ||
			s.law.Rule(m) != "" || s.law.Held(m, s.w.End) {
			continue
		}
		k := read{m.From(), m.To()}
		n := slices.IndexFunc(all, func(r reading) bool { return r.read == k })
		if n < 0 {
			n = len(all)
			all = append(all, reading{read: k})
		}
		r := &all[n]
		r.got += float64(m.Sent)
		if m.Sent > r.move.Sent {
			r.move = *m
		}
		r.addrs = append(r.addrs, m.FromAddr)
	}
	all = slices.DeleteFunc(all, func(r reading) bool { return r.got < float64(s.cfg.ReadBytes) })
	slices.SortFunc(all, func(a, b reading) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	for i := range all {
		slices.SortFunc(all[i].addrs, netip.Addr.Compare)
		all[i].addrs = slices.Compact(all[i].addrs)
	}
	return all
}

// strange tells whether the reader never got a tenth of it on a day before, since the
// system is known, and how unusual that is.
func (s *scene) strange(r *reading, before map[time.Time]float64, first time.Time) bool {
	if first.IsZero() || s.w.End.Sub(first) < s.cfg.WarmUp {
		return false
	}
	var values []float64
	today := s.w.End.Add(-day)
	for at := s.w.End.Add(-s.cfg.History); at.Before(today); at = at.Add(day) {
		if at.Before(first.Add(-day)) {
			continue
		}
		values = append(values, baseline.Log(before[at]))
		r.most = max(r.most, before[at])
	}
	r.days = len(values)
	usual := s.cfg.model().Learn(values).Baseline
	y, se := baseline.Log(r.got), baseline.SamplingError(r.got, r.move.Sampling)
	r.score = usual.ScoreWith(y, se)
	return r.most < r.got/10 && usual.ZWith(y, se) >= s.cfg.Score && r.score >= sure
}
