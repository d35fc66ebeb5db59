package scan

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"tapwatch/detect"
)

// target is a system that a source contacted for the first time.
type target struct {
	addr      netip.Addr
	end       detect.End
	protected bool
	first     time.Time
	outcome   outcome
	dark      bool
	protocol  uint8
	port      uint16
	// ports are those on which a contact failed.
	ports map[uint16]time.Time
}

// suspect is a source and whom it contacted.
type suspect struct {
	addr    netip.Addr
	end     detect.End
	targets []*target
	index   map[netip.Addr]*target
	// sampled says that some of its contacts are known from sampled packets alone.
	sampled bool
}

// tally adds up the contacts of sources, by source, in the order of addresses. keep says
// which contacts count. Of a source outside all zones contacts with public addresses
// count only if one of them succeeded: all public addresses are scanned all the time,
// and no more than a SYN is told once a day.
func tally(sessions []detect.Session, j *judge, keep func(*contact) bool) []*suspect {
	index := map[netip.Addr]*suspect{}
	var all []*suspect
	for i := range sessions {
		c, ok := contactOf(&sessions[i])
		if !ok || !keep(&c) {
			continue
		}
		x := index[c.source]
		if x == nil {
			x = &suspect{addr: c.source, end: *c.sourceEnd, index: map[netip.Addr]*target{}}
			index[c.source], all = x, append(all, x)
		}
		x.add(&c, j)
	}
	for _, x := range all {
		x.order()
		if x.end.Zone == "" && !slices.ContainsFunc(x.targets, func(t *target) bool { return t.outcome == success }) {
			x.drop(func(t *target) bool { return !unreachable(t.addr) })
		}
	}
	slices.SortFunc(all, func(a, b *suspect) int { return a.addr.Compare(b.addr) })
	return all
}

// add takes one contact. A target with which one contact succeeded is no failure,
// whatever else failed there.
func (x *suspect) add(c *contact, j *judge) {
	o := j.outcome(c)
	if o == unknown {
		return
	}
	x.sampled = x.sampled || c.LeastSampling > 1
	t := x.index[c.target]
	if t == nil {
		t = &target{addr: c.target, end: *c.targetEnd, protected: c.targetProtected, first: c.FirstSeen, protocol: c.Protocol, port: c.Port,
			dark: j.dark(c), ports: map[uint16]time.Time{}}
		x.index[c.target], x.targets = t, append(x.targets, t)
	}
	if c.FirstSeen.Before(t.first) {
		t.first = c.FirstSeen
	}
	t.outcome = max(t.outcome, o)
	if first, seen := t.ports[c.Port]; o == failure && (!seen || c.FirstSeen.Before(first)) {
		t.ports[c.Port] = c.FirstSeen
	}
}

func (x *suspect) order() {
	slices.SortFunc(x.targets, func(a, b *target) int { return cmp.Or(a.first.Compare(b.first), a.addr.Compare(b.addr)) })
}

// drop forgets the targets of which f says so.
func (x *suspect) drop(f func(*target) bool) { x.targets = slices.DeleteFunc(x.targets, f) }

// walk goes through the first contacts in their order.
func (x *suspect) walk(c *Config) walk {
	w := c.newWalk()
	for _, t := range x.targets {
		w.step(t.outcome == failure)
	}
	return w
}

// failed are the targets that did not answer or refused.
func (x *suspect) failed() []*target {
	var all []*target
	for _, t := range x.targets {
		if t.outcome == failure {
			all = append(all, t)
		}
	}
	return all
}

// failsSince tells whether a first contact at or after since failed.
func (x *suspect) failsSince(since time.Time) bool {
	return slices.ContainsFunc(x.targets, func(t *target) bool { return t.outcome == failure && !t.first.Before(since) })
}
