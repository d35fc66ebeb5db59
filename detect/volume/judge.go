package volume

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"tapwatch/alert"
	"tapwatch/detect/baseline"
	"tapwatch/detect/ledger"
)

// A case is three windows of some systems, the last of which begins at last.
type kase struct {
	span time.Duration
	last time.Time
	keys []ledger.Key
	// amounts are what the systems sent in the three windows.
	amounts map[ledger.Key]*series
	// moves are the larger ones of that, one by one.
	moves []ledger.Move
}

func newCase(span time.Duration, last time.Time) *kase {
	return &kase{span: span, last: last}
}

// windows are the beginnings of the three.
func (c *kase) windows() []time.Time {
	return []time.Time{c.last.Add(-2 * c.span), c.last.Add(-c.span), c.last}
}

func (c *kase) series(k ledger.Key) *series {
	if c.amounts[k] == nil {
		c.amounts[k] = newSeries()
	}
	return c.amounts[k]
}

// hit is a window in which a system sent more than usual.
type hit struct {
	at    time.Time
	bytes float64
	// usual is the baseline of the window's slot, in logarithms of an hour's bytes.
	usual    baseline.Baseline
	z, score float64
}

// sure is the least score, which unlike z takes into account how short the history is:
// 1 of 4,300 is as high where nothing is wrong, and two of three are needed.
const sure = 3.5

// unusual is a system with hits.
type unusual struct {
	key     ledger.Key
	allowed bool
	hits    []hit
	// to are the networks that got most of it, and how much in all hits.
	to    []share
	total float64
	// served is the share that others had asked the system for.
	served float64
}

// share is what one network got.
type share struct {
	network netip.Prefix
	bytes   float64
	// peak is the most that it got in one hit; in bursts, in all together.
	peak float64
	// move is the largest to it.
	move ledger.Move
}

// slots are the hours of the history that the windows of the case are held against.
func (c *kase) slots(since time.Time) []time.Time {
	var all []time.Time
	for _, at := range c.windows() {
		at = at.Truncate(time.Hour)
		slot := baseline.SlotOf(at)
		all = append(append(all, slot.Hours(since, at)...), slot.Twin().Hours(since, at)...)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// unusual judges the case and puts what remains into words.
func (s *scene) unusual(ctx context.Context, c *kase) ([]alert.Finding, error) {
	past, err := s.past(ctx, c)
	if err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for _, key := range c.keys {
		for _, allowed := range []bool{false, true} {
			u, ok := s.judge(c, key, allowed, past, nil)
			if !ok {
				continue
			}
			if u, ok, err = s.withoutHabits(ctx, c, u, past); err != nil {
				return nil, err
			}
			if !ok || s.law.Held(&u.to[0].move, s.w.Start) {
				continue
			}
			f, err := s.finding(ctx, c, u)
			if err != nil {
				return nil, err
			}
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// past is the history that a case is judged by.
type past struct {
	since   time.Time
	amounts map[ledger.Key]*series
	heard   map[int64]bool
	life    map[ledger.Key]time.Time
}

func (s *scene) past(ctx context.Context, c *kase) (p past, err error) {
	end := c.last.Truncate(time.Hour)
	p.since = end.Add(-s.cfg.History)
	q := query{since: p.since, end: end, step: time.Hour, hours: c.slots(p.since), keys: c.keys}
	sums, err := s.sums(ctx, q)
	if err != nil {
		return p, err
	}
	if c.keys = s.plausible(c, sums); len(c.keys) == 0 {
		return p, nil
	}
	q.keys = c.keys
	if p.heard, err = s.heard(ctx, q); err != nil {
		return p, err
	}
	if p.life, err = s.life(ctx, c.keys, p.since, end); err != nil {
		return p, err
	}
	q.least = s.cfg.Bytes / 100
	moves, err := s.moves(ctx, q)
	if err != nil {
		return p, err
	}
	p.amounts = s.amounts(sums, moves)
	return p, nil
}

// plausible are the systems that can be unusual at all, which spares the others the
// longer queries: z needs Score times Floor above the usual, and the lower quartile of
// everything that the system sent in these hours is below that. Where a rule allows a
// part, the whole does not tell.
func (s *scene) plausible(c *kase, sums []sum) []ledger.Key {
	sent := map[ledger.Key]map[int64]float64{}
	for i := range sums {
		if k := sums[i].key(); sent[k] == nil {
			sent[k] = map[int64]float64{}
		}
		sent[sums[i].key()][sums[i].At.Unix()] = float64(sums[i].Sent)
	}
	ruled := map[ledger.Key]bool{}
	for i := range c.moves {
		if s.law.Rule(&c.moves[i]) != "" {
			ruled[c.moves[i].From()] = true
		}
	}
	last := c.last.Truncate(time.Hour)
	hours := baseline.SlotOf(last).Hours(last.Add(-s.cfg.History), last)
	var keys []ledger.Key
	for _, k := range c.keys {
		values := make([]float64, 0, len(hours))
		for _, hour := range hours {
			values = append(values, sent[k][hour.Unix()])
		}
		bytes := c.series(k).free[c.last.Unix()]
		if ruled[k] || baseline.Log(bytes)-baseline.Log(baseline.Quantile(values, 0.25)) >= s.cfg.Score*s.cfg.Floor {
			keys = append(keys, k)
		}
	}
	return keys
}

// usual is what the system sends in an hour of the slot, learned from before at; ok is
// false while it is not known for long enough. The level is that of the slot, the spread
// that of weekdays and weekends: of these alone a fortnight has twelve hours.
func (s *scene) usual(p past, key ledger.Key, allowed bool, at time.Time) (b baseline.Baseline, ok bool) {
	first, known := p.life[key]
	if !known || at.Sub(first) < s.cfg.WarmUp {
		return b, false
	}
	amounts := p.amounts[key]
	if amounts == nil {
		amounts = newSeries()
	}
	m := s.cfg.model()
	learn := func(slot baseline.Slot) baseline.Baseline {
		var values []float64
		for _, hour := range slot.Hours(first, at) {
			if p.heard[hour.Unix()] {
				values = append(values, baseline.Log(amounts.of(allowed)[hour.Unix()]))
			}
		}
		return m.Learn(values).Baseline
	}
	slot := baseline.SlotOf(at)
	b = learn(slot)
	return b.Pool(learn(slot.Twin())), b.N > float64(m.Warm)
}

// judge tells whether the system sent far more than usual: in two of the three windows,
// the last among them, each at least half of the least amount; or once in the last ten
// times as much. What the networks except got does not count.
func (s *scene) judge(c *kase, key ledger.Key, allowed bool, p past, except []netip.Prefix) (u unusual, ok bool) {
	least, once := float64(s.cfg.Bytes), float64(s.cfg.OnceBytes)
	if allowed {
		if s.cfg.AllowedBytes == 0 {
			return u, false
		}
		once *= float64(s.cfg.AllowedBytes) / least
		least = float64(s.cfg.AllowedBytes)
	}
	u = unusual{key: key, allowed: allowed}
	for _, at := range c.windows() {
		bytes := c.series(key).of(allowed)[at.Unix()]
		var interval uint32
		for i := range c.moves {
			m := &c.moves[i]
			if m.From() != key || !m.At.Truncate(c.span).Equal(at) || (s.law.Rule(m) != "") != allowed {
				continue
			}
			interval = max(interval, m.Sampling)
			if slices.Contains(except, ledger.Network(m.ToAddr)) {
				bytes -= float64(m.Sent)
			}
		}
		if bytes < least/2 {
			continue
		}
		usual, ready := s.usual(p, key, allowed, at.Truncate(time.Hour))
		if !ready {
			return u, false
		}
		h := hit{at: at, bytes: bytes, usual: usual}
		y, se := baseline.Log(bytes), baseline.SamplingError(bytes, interval)
		h.z, h.score = usual.ZWith(y, se), usual.ScoreWith(y, se)
		if h.z >= s.cfg.Score && h.score >= sure {
			u.hits = append(u.hits, h)
			u.total += bytes
		}
	}
	if len(u.hits) == 0 || !u.hits[len(u.hits)-1].at.Equal(c.last) {
		return u, false
	}
	if u.hits[len(u.hits)-1].bytes < once && (len(u.hits) < 2 || u.total < least) {
		return u, false
	}
	s.share(c, &u, except)
	return u, len(u.to) > 0
}

// share fills in who got it.
func (s *scene) share(c *kase, u *unusual, except []netip.Prefix) {
	at := map[netip.Prefix]int{}
	peaks := map[netip.Prefix]map[int64]float64{}
	served := 0.0
	for i := range c.moves {
		m := &c.moves[i]
		window, network := m.At.Truncate(c.span), ledger.Network(m.ToAddr)
		inside := slices.ContainsFunc(u.hits, func(h hit) bool { return h.at.Equal(window) })
		if m.From() != u.key || !inside || (s.law.Rule(m) != "") != u.allowed || slices.Contains(except, network) {
			continue
		}
		if m.Opened == "to" {
			served += float64(m.Sent)
		}
		n, known := at[network]
		if !known {
			n = len(u.to)
			at[network], peaks[network] = n, map[int64]float64{}
			u.to = append(u.to, share{network: network, move: *m})
		}
		x := &u.to[n]
		x.bytes += float64(m.Sent)
		if m.Sent > x.move.Sent {
			x.move = *m
		}
		slot := window.Truncate(time.Hour) // bursts: what an hour got
		peaks[network][slot.Unix()] += float64(m.Sent)
		x.peak = max(x.peak, peaks[network][slot.Unix()])
	}
	u.served = served / max(1, u.total)
	slices.SortStableFunc(u.to, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), a.network.Addr().Compare(b.network.Addr()))
	})
}

// crowd tells whether very many got it, each little, because they asked for it: more
// customers than usual, not one who carries things away.
func (u *unusual) crowd() bool { return u.served >= 0.8 && u.to[0].bytes < 0.2*u.total }
