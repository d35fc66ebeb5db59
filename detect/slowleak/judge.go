package slowleak

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect/ledger"
	"tapwatch/flow"
)

// leak is what left a system for a network.
type leak struct {
	pair
	// first is the day on which it began, last the latest with anything; sent, received
	// and peak are since the first.
	first, last    time.Time
	sent, received float64
	// peak is the most in one hour, hours in how many hours there was some.
	peak, hours float64
	// active are the days with DayBytes or more, recent those of them in the last week.
	active, recent int
	// move is the largest, from all the addresses it was sent from.
	move ledger.Move
	from []netip.Addr
	// sharers are how many systems talk with the network at all.
	sharers uint64
	// rise is set for a network that gets more than it did.
	rise *rise
}

// amount is what a network got on a day.
type amount struct{ sent, received, peak, hours float64 }

// byDay adds up the moves of each pair by day.
func byDay(moves []move) map[pair]map[time.Time]amount {
	all := map[pair]map[time.Time]amount{}
	for i := range moves {
		m := &moves[i]
		p := pair{m.From(), ledger.Network(m.ToAddr)}
		if all[p] == nil {
			all[p] = map[time.Time]amount{}
		}
		a := all[p][m.At]
		all[p][m.At] = amount{a.sent + float64(m.Sent), a.received + float64(m.Received),
			a.peak + float64(m.Peak), a.hours + float64(m.Hours)} // too high rather than too low
	}
	return all
}

// since fills in what was sent from that day on.
func (l *leak) since(first time.Time, days map[time.Time]amount, c *Config, end time.Time) {
	l.first = first
	for at, a := range days {
		if at.Before(first) {
			continue
		}
		l.sent, l.received, l.hours = l.sent+a.sent, l.received+a.received, l.hours+a.hours
		l.peak = max(l.peak, a.peak)
		if at.After(l.last) {
			l.last = at
		}
		if a.sent >= float64(c.DayBytes) {
			l.active++
			if !at.Before(end.Add(-7 * day)) {
				l.recent++
			}
		}
	}
}

// balance is (out-in)/(out+in).
func (l *leak) balance() float64 { return (l.sent - l.received) / max(1, l.sent+l.received) }

// ends fills in the largest move and the sender's addresses.
func (l *leak) ends(moves []move) {
	for i := range moves {
		m := &moves[i]
		if m.From() != l.key || ledger.Network(m.ToAddr) != l.network || m.At.Before(l.first) {
			continue
		}
		if m.Sent > l.move.Sent {
			l.move = m.Move
		}
		l.from = append(l.from, m.FromAddr)
	}
	slices.SortFunc(l.from, netip.Addr.Compare)
	l.from = slices.Compact(l.from)
}

// toNew judges the candidates: which of the networks are new to their systems, get small
// pieces of much, and are talked with by few.
func (s *scene) toNew(ctx context.Context, candidates []pair) ([]leak, error) {
	if len(candidates) == 0 {
		return nil, nil
	}
	keys, networks := parts(candidates)
	moves, err := s.moves(ctx, keys, networks, s.w.End.Add(-s.cfg.Age-s.cfg.WarmUp))
	if err != nil {
		return nil, err
	}
	days := byDay(moves)
	var leaks []leak
	for _, p := range candidates {
		if l, ok := s.new(p, days[p]); ok {
			l.ends(moves)
			if !s.common[l.move.ToASN] && !s.law.Held(&l.move, s.w.End) {
				leaks = append(leaks, l)
			}
		}
	}
	return s.unshared(ctx, leaks)
}

// unshared are the leaks to networks that only few talk with.
func (s *scene) unshared(ctx context.Context, leaks []leak) ([]leak, error) {
	if len(leaks) == 0 {
		return nil, nil
	}
	_, networks := parts(pairsOf(leaks))
	sharers, err := s.sharers(ctx, networks)
	if err != nil {
		return nil, err
	}
	for i := range leaks {
		for _, n := range sharers[leaks[i].network] {
			leaks[i].sharers += n
		}
	}
	return slices.DeleteFunc(leaks, func(l leak) bool { return s.shared(sharers[l.network], l.key, l.move.FromKind) }), nil
}

// new tells whether the network is new to the system and gets small pieces on most days.
func (s *scene) new(p pair, days map[time.Time]amount) (l leak, ok bool) {
	first, isNew := s.isNew(p.key, days)
	if !isNew {
		return l, false
	}
	l = leak{pair: p}
	l.since(first, days, &s.cfg, s.w.End)
	return l, l.recent >= s.cfg.Days && l.sent >= float64(s.cfg.Bytes) && l.peak < float64(s.cfg.HourBytes) && l.balance() >= s.cfg.Balance
}

// isNew tells since when the network got anything of note, and whether that was within
// Age, after the system had been known without it for WarmUp.
func (s *scene) isNew(key ledger.Key, days map[time.Time]amount) (first time.Time, ok bool) {
	first = s.w.End
	for at, a := range days {
		if a.sent >= float64(s.cfg.DayBytes)/10 && at.Before(first) {
			first = at
		}
	}
	known, is := s.known[key]
	return first, is && first.Sub(known.first) >= s.cfg.WarmUp && s.w.End.Sub(first) < s.cfg.Age
}

// shared tells whether the network is one that most systems, or most of the same role,
// talk with: a vendor's licence server, a cloud. The role does not count for lawful
// intercept, whose systems have nothing of that kind.
func (s *scene) shared(roles map[string]uint64, key ledger.Key, kind string) bool {
	var all uint64
	for _, n := range roles {
		all += n
	}
	if s.hosts >= 3 && float64(all) >= s.cfg.Prevalence*float64(s.hosts) && all >= 3 {
		return true
	}
	role := s.known[key].role
	if role == "" || kind == flow.ZoneLawfulIntercept {
		return false
	}
	alike := 0
	for _, m := range s.known {
		if m.role == role {
			alike++
		}
	}
	return roles[role] >= 3 && float64(roles[role]) >= s.cfg.Prevalence*float64(alike)
}

func pairsOf(leaks []leak) (all []pair) {
	for i := range leaks {
		all = append(all, leaks[i].pair)
	}
	return all
}

// parts are the systems and the networks of pairs, each once.
func parts(pairs []pair) (keys []ledger.Key, networks []netip.Prefix) {
	for _, p := range pairs {
		keys, networks = append(keys, p.key), append(networks, p.network)
	}
	slices.SortFunc(keys, ledger.Key.Compare)
	slices.SortFunc(networks, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.Compact(keys), slices.Compact(networks)
}

// byNetwork puts the leaks to one network together, the largest first.
func byNetwork(leaks []leak) [][]leak {
	slices.SortStableFunc(leaks, func(a, b leak) int {
		return cmp.Or(a.network.Addr().Compare(b.network.Addr()), cmp.Compare(b.sent, a.sent), a.key.Compare(b.key))
	})
	var groups [][]leak
	for i, l := range leaks {
		if i > 0 && leaks[i-1].network == l.network {
			groups[len(groups)-1] = append(groups[len(groups)-1], l)
		} else {
			groups = append(groups, []leak{l})
		}
	}
	return groups
}
