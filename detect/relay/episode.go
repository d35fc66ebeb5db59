package relay

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/baseline"
)

// stitched is one session: up is what its client sent, down what it got.
type stitched struct {
	start, end time.Time
	up, down   uint64
}

// gap is the longest silence within a session.
const gap = 10 * time.Minute

// whole is a session while its parts are joined.
type whole struct {
	stitched
	ways map[seen]amount
}

// seen is a router, and one way of what it saw; amount is how much that was.
type seen struct {
	exporter netip.Addr
	up       bool
}

type amount struct {
	bytes    uint64
	sampling uint32
}

// stitch joins the parts of each five-tuple that follow one another closely, and orders
// what that gives by time. Routers report the same bytes in different panes, so the
// bytes of a session are not the sum of its parts but, each way, those of the router that
// samples least, and of those the one that counted most.
func stitch(parts []detect.Session) []stitched {
	type ports struct{ asset, peer uint16 }
	open := map[ports]*whole{}
	var all []*whole
	for i := range parts { // in the order of panes
		p := &parts[i]
		k := ports{p.AssetPort, p.PeerPort}
		s := open[k]
		if s == nil || p.FlowStart.Sub(s.end) > gap {
			s = &whole{stitched{start: p.FlowStart, end: p.FlowEnd}, map[seen]amount{}}
			open[k] = s
			all = append(all, s)
		}
		s.add(p)
	}
	sessions := make([]stitched, len(all))
	for i, s := range all {
		s.up, s.down = s.best(true), s.best(false)
		sessions[i] = s.stitched
	}
	slices.SortFunc(sessions, func(a, b stitched) int { return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.up, b.up)) })
	return sessions
}

func (w *whole) add(p *detect.Session) {
	if p.FlowStart.Before(w.start) {
		w.start = p.FlowStart
	}
	if p.FlowEnd.After(w.end) {
		w.end = p.FlowEnd
	}
	for _, s := range p.Sightings {
		k := seen{s.Exporter, s.ToAsset == p.AssetServes}
		a := w.ways[k]
		w.ways[k] = amount{a.bytes + s.Bytes, max(a.sampling, s.Sampling)}
	}
}

// best is the bytes of one way as the router tells them that tells best. 0 is a sampling
// interval that is not known, and the last to be believed.
func (w *whole) best(up bool) (bytes uint64) {
	least := uint32(math.MaxUint32)
	for k, a := range w.ways {
		sampling := a.sampling
		if sampling == 0 {
			sampling = math.MaxUint32
		}
		if k.up == up && (sampling < least || sampling == least && a.bytes > bytes) {
			least, bytes = sampling, a.bytes
		}
	}
	return bytes
}

// episode is a session that came in and the one that went on.
type episode struct{ in, out stitched }

// early is how much before the incoming session the outgoing one may begin, by the
// clocks of routers that differ.
const early = 500 * time.Millisecond

// match is what two pairs have in common.
type match struct {
	episodes []episode
	// came and went count the sessions of either pair.
	came, went int
	// expected is how many episodes the rates of both would give by chance, LogP the
	// natural logarithm of how often chance gives as many.
	expected, LogP float64
}

// compare pairs the sessions that came in with those that went on.
//
// By chance the two pairs have nothing to do with each other. Then a session that
// matches in bytes is as likely at any other time as within the lag: of the combinations
// that match in bytes but not in time there are m, in busy time of T, and λ = (m+1)·w/T
// are expected within the window w of lags. The number of episodes is held against a
// Poisson distribution of that mean. So sessions of one fixed size, of which all match,
// must come together far more often than their rates have it.
func (c *Config) compare(came, went []stitched, busy time.Duration) match {
	m := match{came: len(came), went: len(went)}
	used := make([]bool, len(went))
	elsewhere := 0
	for _, in := range came {
		if in.up+in.down < c.Bytes {
			continue
		}
		taken := false
		for k, out := range went {
			lag := out.start.Sub(in.start)
			if !c.similar(&in, &out) {
				continue
			}
			together := lag >= -early && lag <= c.Lag && !out.start.After(in.end.Add(early))
			if together && !taken && !used[k] {
				m.episodes = append(m.episodes, episode{in, out})
				used[k], taken = true, true
			} else if !together {
				elsewhere++
			}
		}
	}
	if busy <= 0 {
		return m
	}
	m.expected = float64(elsewhere+1) * float64(c.Lag+early) / float64(busy)
	m.LogP = baseline.LogPoissonTail(len(m.episodes), m.expected)
	return m
}

// similar tells whether the two carried as much, each way.
func (c *Config) similar(a, b *stitched) bool {
	return c.near(a.up, b.up) && c.near(a.down, b.down)
}

func (c *Config) near(a, b uint64) bool {
	return float64(a) <= float64(b)*(1+c.Tolerance) && float64(b) <= float64(a)*(1+c.Tolerance)
}
