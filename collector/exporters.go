package collector

import (
	"container/list"
	"net/netip"
	"slices"
	"time"

	"tapwatch/flow"
)

// Exporters is what the inventory knows of exporters. It must be safe for
// concurrent use, and may change while it is used.
type Exporters interface {
	// Exporter says whether the inventory lists the exporter, and what sampling
	// interval it expects of it, 0 if it does not say.
	Exporter(netip.Addr) (sampling uint32, listed bool)
	// Version is another comparable value after every change.
	Version() any
}

// exporter is what a Decoder knows of one exporter. What every datagram needs comes
// first: with thousands of exporters each line of memory has to be fetched.
type exporter struct {
	addr netip.Addr
	// sampling is what the inventory of version asked expects of it.
	asked any
	// datagrams is what it said over UDP.
	datagrams source

	bytes          [16]byte // addr, as columns have it
	lastReceivedAt time.Time
	// placedAt is when it was put at its place.
	placedAt time.Time

	sampling uint32
	// rank says how easily the entry gives way to another's.
	rank rank
	// protocols seen, as bits of the positions in exported.
	protocols uint8
	total     Tally // since the last Health

	// streams is what it said over connections.
	streams map[Stream]*source
	// held is what its sessions remember, all in all.
	held Size
	// intervals that its records carried.
	intervals intervalSet
	// place is its element in the list of its rank.
	place *list.Element
}

// source is one exporter over UDP, or over one connection.
type source struct {
	sessions []spoken // by protocol
}

// spoken is the session of one protocol, nil until that is spoken, and its size as the
// table has counted it.
type spoken struct {
	Session
	size Size
}

func (e *exporter) source(stream Stream) *source {
	if stream == 0 {
		return &e.datagrams
	}
	if e.streams == nil {
		e.streams = make(map[Stream]*source)
	}
	s := e.streams[stream]
	if s == nil {
		s = new(source)
		e.streams[stream] = s
	}
	return s
}

// sources gives all of them.
func (e *exporter) sources(yield func(*source) bool) {
	if !yield(&e.datagrams) {
		return
	}
	for _, s := range e.streams {
		if !yield(s) {
			return
		}
	}
}

// rank orders exporters by how much there is to lose with them.
type rank uint8

const (
	// probation: has sent nothing that made sense, or is refused. Anyone who forges
	// source addresses makes these.
	probation rank = iota
	// active: has sent records or templates.
	active
	// listed: the inventory names it. Never gives way.
	listed
	ranks
)

// idleAfter is how long an active exporter must be silent before it gives way.
const idleAfter = 15 * time.Minute

// table holds a bounded number of exporters, those of the inventory not counted.
type table struct {
	byAddr map[netip.Addr]*exporter
	// recent has those that sent last, by the low bits of their addresses: exporters
	// send again and again, and this is found faster than in a map. It grows with byAddr.
	recent []*exporter
	// ordered has the exporters of each rank, latest heard first, give or take
	// placeFor.
	ordered [ranks]*list.List
	max     int
	// held is what the sessions of those that are not listed remember.
	held Size
	// rest counts for all that have no entry any more, or never had one, since the
	// last Health; reported counts what Health has reported.
	rest, reported Tally
}

func newTable(size int) *table {
	t := &table{byAddr: make(map[netip.Addr]*exporter), max: size, recent: make([]*exporter, leastRecent)}
	for i := range t.ordered {
		t.ordered[i] = list.New()
	}
	return t
}

// get gives the exporter's entry, a new one if need be; nil if there is no room.
func (t *table) get(addr netip.Addr, isListed bool, now time.Time) *exporter {
	if e := t.find(addr); e != nil {
		t.touch(e, isListed, now)
		return e
	}
	if !isListed && !t.makeRoom(now) {
		return nil
	}
	e := &exporter{addr: addr, bytes: flow.FromAddr(addr), placedAt: now}
	if isListed {
		e.rank = listed
	}
	t.link(e)
	t.byAddr[addr] = e
	t.growRecent()
	return e
}

// find gives the exporter's entry, nil if there is none.
func (t *table) find(addr netip.Addr) *exporter {
	slot := t.slot(addr)
	if e := *slot; e != nil && e.addr == addr {
		return e
	}
	e := t.byAddr[addr]
	if e != nil {
		*slot = e
	}
	return e
}

func (t *table) slot(addr netip.Addr) **exporter {
	a := addr.As16()
	low := int(a[15]) | int(a[14])<<8
	return &t.recent[low&(len(t.recent)-1)]
}

// leastRecent and mostRecent are how many slots there are, powers of two.
const (
	leastRecent = 1 << 8
	mostRecent  = 1 << 16
)

// growRecent makes room for as many exporters as there are.
func (t *table) growRecent() {
	if n := 2 * len(t.recent); len(t.byAddr) > len(t.recent) && n <= mostRecent {
		t.recent = make([]*exporter, n)
	}
}

// placeFor is how long an entry stays at its place in its list although it was heard
// again: to move it for every datagram would cost more than to find it.
const placeFor = time.Minute

// touch moves e to the front of its list; the inventory may have changed its mind
// about it.
func (t *table) touch(e *exporter, isListed bool, now time.Time) {
	switch {
	case isListed != (e.rank == listed):
		to := active
		if isListed {
			to = listed
		}
		t.move(e, to)
	case now.Sub(e.placedAt) >= placeFor || now.Before(e.placedAt):
		t.ordered[e.rank].MoveToFront(e.place)
	default:
		return
	}
	e.placedAt = now
}

// prove takes e out of probation.
func (t *table) prove(e *exporter) {
	if e.rank == probation {
		t.move(e, active)
	}
}

// move gives e another rank.
func (t *table) move(e *exporter, to rank) {
	t.unlink(e)
	e.rank = to
	t.link(e)
}

// link puts e at the front of the list of its rank.
func (t *table) link(e *exporter) {
	e.place = t.ordered[e.rank].PushFront(e)
	if e.rank != listed {
		t.held.add(e.held, 1)
	}
}

// unlink undoes link.
func (t *table) unlink(e *exporter) {
	t.ordered[e.rank].Remove(e.place)
	if e.rank != listed {
		t.held.add(e.held, -1)
	}
}

// resize takes over what a session of e remembers: was is what has been counted.
func (t *table) resize(e *exporter, was *Size, is Size) {
	if *was == is {
		return
	}
	change := is
	change.add(*was, -1)
	*was = is
	e.held.add(change, 1)
	if e.rank != listed {
		t.held.add(change, 1)
	}
}

// add adds o, times times.
func (s *Size) add(o Size, times int) {
	s.Templates += times * o.Templates
	s.TemplateFields += times * o.TemplateFields
	s.WaitingSets += times * o.WaitingSets
	s.WaitingBytes += times * o.WaitingBytes
}

// makeRoom makes sure that one more unlisted exporter fits.
func (t *table) makeRoom(now time.Time) bool {
	if t.ordered[probation].Len()+t.ordered[active].Len() < t.max {
		return true
	}
	if oldest := t.ordered[probation].Back(); oldest != nil {
		t.remove(oldest.Value.(*exporter))
		return true
	}
	return t.dropIdle(now)
}

// dropIdle removes the active exporter that has been silent for longest, if that
// is long enough; it says whether it did. One with an open connection stays: over
// connections templates are sent once.
func (t *table) dropIdle(now time.Time) bool {
	for range t.ordered[active].Len() {
		e := t.ordered[active].Back().Value.(*exporter)
		if now.Sub(e.lastReceivedAt) <= idleAfter {
			return false
		}
		if len(e.streams) == 0 {
			t.remove(e)
			return true
		}
		t.ordered[active].MoveToFront(e.place)
	}
	return false
}

// remove forgets e; what still waits for its template is lost with it.
func (t *table) remove(e *exporter) {
	e.total.Drop(MissingTemplate, e.held.WaitingSets)
	t.rest.Add(&e.total)
	t.unlink(e)
	delete(t.byAddr, e.addr)
	if slot := t.slot(e.addr); *slot == e {
		*slot = nil
	}
}

// intervalSet is a small set of sampling intervals.
type intervalSet []uint32

// maxIntervals bounds the set: a router samples at a handful of rates.
const maxIntervals = 16

func (s *intervalSet) add(n uint32) {
	if n != 0 && len(*s) < maxIntervals && !slices.Contains(*s, n) {
		*s = append(*s, n)
	}
}
