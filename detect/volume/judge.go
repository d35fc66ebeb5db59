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
	return &kase{span: span, last: last, amounts: map[ledger.Key]*series{}}
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

// unusual judges the case and puts what remains into words.
func (s *scene) unusual(ctx context.Context, c *kase) ([]alert.Finding, error) {
	if err := s.read(ctx, c, c.last.Truncate(time.Hour)); err != nil {
		return nil, err
	}
	var findings []alert.Finding
	for _, key := range c.keys {
		for _, allowed := range []bool{false, true} {
			u, ok := s.judge(c, key, allowed, nil)
			if !ok {
				continue
			}
			u, ok, err := s.withoutHabits(ctx, c, u)
			if err != nil {
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

// usual is what the system sends in an hour of the slot, learned from before at; ok is
// false while it is not known for long enough. The level is that of the slot, the spread
// that of weekdays and weekends: of these alone a fortnight has twelve hours.
func (s *scene) usual(key ledger.Key, allowed bool, at time.Time) (b baseline.Baseline, ok bool) {
	page := s.book.pages[key]
	if page == nil {
		return b, false
	}
	first, known := page.since(s.since)
	if !known || at.Sub(first) < s.cfg.WarmUp {
		return b, false
	}
	m := s.cfg.model()
	learn := func(slot baseline.Slot) baseline.Baseline {
		var values []float64
		for _, hour := range slot.Hours(first, at) {
			if s.book.heard[hourOf(hour)] {
				values = append(values, baseline.Log(page.sent(hour, allowed)))
			}
		}
		return m.Learn(values).Baseline
	}
	slot := baseline.SlotOf(at)
	b = learn(slot)
	return b.Pool(learn(slot.Twin())), b.N > float64(m.Warm)
}

// judge tells whether the system sent far more than usual, and to whom. What the networks
// except got does not count.
func (s *scene) judge(c *kase, key ledger.Key, allowed bool, except []netip.Prefix) (u unusual, ok bool) {
	if u, ok = s.hits(c, key, allowed, except); ok {
		s.share(c, &u, except)
	}
	return u, len(u.to) > 0
}

// hits tells whether the system sent far more than usual: in two of the three windows,
// the last among them, each at least half of the least amount; or once in the last ten
// times as much. What sampling blurs makes it less sure, as far as the moves tell.
func (s *scene) hits(c *kase, key ledger.Key, allowed bool, except []netip.Prefix) (u unusual, ok bool) {
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
		bytes, interval := s.amount(c, key, allowed, at, except)
		if bytes < least/2 {
			continue
		}
		usual, ready := s.usual(key, allowed, at.Truncate(time.Hour))
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
	return u, u.hits[len(u.hits)-1].bytes >= once || len(u.hits) >= 2 && u.total >= least
}

// amount is what the system sent in a window, and the largest sampling interval of that.
func (s *scene) amount(c *kase, key ledger.Key, allowed bool, at time.Time, except []netip.Prefix) (bytes float64, interval uint32) {
	bytes = c.series(key).of(allowed)[at.Unix()]
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
	return bytes, interval
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
