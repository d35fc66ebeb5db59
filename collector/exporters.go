package collector

import (
	"container/list"
	"net/netip"
	"slices"
	"time"
)

// Exporters is what the inventory knows of exporters. It must be safe for
// concurrent use, and may change while it is used.
type Exporters interface {
	// Listed says whether the inventory names the exporter.
	Listed(netip.Addr) bool
	// SamplingInterval is what the inventory expects of the exporter, 0 if it does
	// not say.
	SamplingInterval(netip.Addr) uint32
}

// exporter is what a Decoder knows of one exporter.
type exporter struct {
	addr     netip.Addr
	sessions []Session // by protocol; nil until it speaks that one

	total Tally // since the last Health
	// fields is what its templates count for.
	fields int
	// protocols seen, as bits of the positions in protocolNames.
	protocols uint8
	// intervals that its records carried.
	intervals      intervalSet
	lastReceivedAt time.Time

	// rank says how easily the entry gives way to another's.
	rank rank
	// place is its element in the list of its rank.
	place *list.Element
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
	// ordered has the exporters of each rank, latest heard first.
	ordered [ranks]*list.List
	max     int
	// fields is what the templates of those that are not listed count for.
	fields int
	// rest counts for all that have no entry any more, or never had one.
	rest Tally
}

func newTable(size int) *table {
	t := &table{byAddr: make(map[netip.Addr]*exporter), max: size}
	for i := range t.ordered {
		t.ordered[i] = list.New()
	}
	return t
}

// get gives the exporter's entry, a new one if need be; nil if there is no room.
func (t *table) get(addr netip.Addr, isListed bool, now time.Time) *exporter {
	if e, ok := t.byAddr[addr]; ok {
		t.touch(e, isListed)
		return e
	}
	if !isListed && !t.makeRoom(now) {
		return nil
	}
	e := &exporter{addr: addr}
	if isListed {
		e.rank = listed
	}
	t.link(e)
	t.byAddr[addr] = e
	return e
}

// touch moves e to the front of its list; the inventory may have changed its mind
// about it.
func (t *table) touch(e *exporter, isListed bool) {
	switch {
	case isListed:
		t.move(e, listed)
	case e.rank == listed:
		t.move(e, active)
	default:
		t.ordered[e.rank].MoveToFront(e.place)
	}
}

// prove takes e out of probation.
func (t *table) prove(e *exporter) {
	if e.rank == probation {
		t.move(e, active)
	}
}

func (t *table) move(e *exporter, to rank) {
	if e.rank == to {
		t.ordered[to].MoveToFront(e.place)
		return
	}
	t.unlink(e)
	e.rank = to
	t.link(e)
}

// link puts e at the front of the list of its rank.
func (t *table) link(e *exporter) {
	e.place = t.ordered[e.rank].PushFront(e)
	if e.rank != listed {
		t.fields += e.fields
	}
}

// unlink undoes link.
func (t *table) unlink(e *exporter) {
	t.ordered[e.rank].Remove(e.place)
	if e.rank != listed {
		t.fields -= e.fields
	}
}

// hold changes by n what e's templates count for.
func (t *table) hold(e *exporter, n int) {
	e.fields += n
	if e.rank != listed {
		t.fields += n
	}
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
// is long enough; it says whether it did.
func (t *table) dropIdle(now time.Time) bool {
	oldest := t.ordered[active].Back()
	if oldest == nil {
		return false
	}
	if e := oldest.Value.(*exporter); now.Sub(e.lastReceivedAt) > idleAfter {
		t.remove(e)
		return true
	}
	return false
}

func (t *table) remove(e *exporter) {
	t.rest.Add(&e.total)
	t.unlink(e)
	delete(t.byAddr, e.addr)
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
