package collector

import "math"

// Numbering is what one message says of its place in the sequence.
type Numbering struct {
	// Number is the header's sequence number.
	Number uint32
	// Records is how many records the message holds; RecordsKnown is false where some
	// of it could not be decoded.
	Records      int
	RecordsKnown bool
	// Options is how many of Records describe the exporter and not traffic: not every
	// exporter counts them.
	Options int
	// CountsRecords says what the protocol numbers: records (NetFlow v5 and v7, IPFIX),
	// where Number is that of the first of the message, or datagrams (NetFlow v9,
	// sFlow).
	CountsRecords bool
	// Uptime is the exporter's in milliseconds, where HasUptime.
	Uptime    uint32
	HasUptime bool
}

// Sequence follows the sequence numbers of one exporter and observation domain, and
// counts what they say is missing. The zero Sequence is ready for use.
//
// What a number counts is the protocol's word first: records before the message
// (IPFIX, RFC 7011 §3.1; NetFlow v5, Cisco "NetFlow Export Datagram Format",
// flow_sequence) or datagrams (NetFlow v9, RFC 3954 §5.1; sFlow v5, the datagram
// header). Exporters that keep their own book are followed once they have been
// consistent. Nothing is counted before the numbers have shown a pattern, and nothing
// for as long as they show none: a false alarm about every router of a vendor is
// worse than a late one.
//
// One counter that several domains of an exporter share looks like loss in each of
// them, which one domain alone cannot tell. A domain that has less than half of the
// messages mostly shows no pattern. So does an exporter of whose datagrams more than
// half are lost from the first one on, or every other one; once it was followed for a
// while, whatever is lost is counted. What is lost before the numbers have shown their
// pattern is counted when they have: after a few messages, or up to some hundreds where
// nearly half are lost.
type Sequence struct {
	// next is where the followed sequence goes on.
	next uint32
	// elsewhere is where a second sequence would go on: one that was left (flag left),
	// or one that the latest run messages suggest.
	elsewhere uint32
	uptime    uint32 // of the message before next
	// last, lastRecords and lastOptions are of the message that came last, wherever it
	// belonged.
	last uint32
	// balance is what the tally must still be told: lost before the numbers were
	// proven, or, below zero, given back when the tally had nothing left to take from.
	balance int32
	// holeStart and holeLength are the latest records that were skipped, the newest
	// first, and may still come. Of datagrams holeStart alone has a bit for each that
	// was skipped.
	holeStart   [holes]uint32
	holeLength  [holes]uint16
	lastRecords uint16
	lastOptions uint8
	scores      [units]int8
	long        int8 // the score of the unit that is followed, in the long run
	unit        unit
	flags       sequenceFlags
	run         uint8
}

// holes is a power of two: window is to divide the numbers there are.
const holes = 8

type sequenceFlags uint8

const (
	started   sequenceFlags = 1 << iota
	hasUptime               // uptime is one
	lastKnown               // lastRecords is the whole message's
	open                    // the message before next is longer than next says
	proven                  // the numbers follow the unit
	left                    // elsewhere is where the sequence was
	mixed                   // more than one counter was seen; none is proven since
	fresh                   // the latest run began at zero and has no gap
)

func (s *Sequence) is(f sequenceFlags) bool { return s.flags&f != 0 }

func (s *Sequence) set(f sequenceFlags, on bool) {
	s.flags &^= f
	if on {
		s.flags |= f
	}
}

// Observe takes a message and counts in t what is missing before it.
func (s *Sequence) Observe(t *Tally, n Numbering) {
	if !s.quick(&n) {
		s.observe(t, &n)
	}
}

// quick takes the message that is like nearly all: the next one, of numbers that are
// proven and where nothing else is left to do. It does as observe does, and says
// whether n was one.
func (s *Sequence) quick(n *Numbering) bool {
	const needed = started | proven | lastKnown
	if s.flags&(needed|open|mixed) != needed || s.balance != 0 || !n.RecordsKnown || n.Number == s.last {
		return false
	}
	number, step, records, options := n.Number, n.Number-s.last, uint32(n.Records), uint32(n.Options)
	plain := records - options
	end := number + records
	var fits bool
	switch s.unit {
	case byRecord:
		fits = number == s.next && step == uint32(s.lastRecords) && records > 0
	case byDatagram:
		fits = number == s.next && step == 1
		end = number + 1
	case afterward:
		fits = number-records == s.next && step == records && records > 0
		end = number
	case dataAfterward:
		fits = number-plain == s.next && step == plain && plain > 0
		end = number
	}
	if !fits || n.HasUptime != s.is(hasUptime) {
		return false
	}
	if s.unit == byDatagram {
		word, bit := s.missing(number)
		*word &^= bit
	}
	s.scores[byData] = rescored(s.scores[byData], step == uint32(s.lastRecords)-uint32(s.lastOptions))
	s.scores[dataAfterward] = rescored(s.scores[dataAfterward], step == plain)
	s.scores[byRecord] = rescored(s.scores[byRecord], step == uint32(s.lastRecords))
	s.scores[byDatagram] = rescored(s.scores[byDatagram], step == 1)
	s.scores[afterward] = rescored(s.scores[afterward], step == records)
	s.long = min(s.long, longSure-fit) + fit
	s.next, s.last, s.run = end, number, 0
	s.uptime = n.Uptime
	s.lastRecords = uint16(min(records, math.MaxUint16))
	s.lastOptions = uint8(min(options, math.MaxUint8))
	return true
}

func (s *Sequence) observe(t *Tally, n *Numbering) {
	if !s.is(started) {
		s.unit = byDatagram
		if n.CountsRecords {
			s.unit = byRecord
		}
		s.set(started, true)
		s.advance(n)
		s.remember(n)
		return
	}
	fitting := s.fitting(n)
	start, _, _ := s.unit.span(n)
	switch {
	case start == s.next:
		s.inOrder(t, n)
	case s.adopt(t, n, fitting):
	default:
		s.outOfOrder(t, n)
	}
	s.remember(n)
}

// remember keeps what fitting compares the next message with.
func (s *Sequence) remember(n *Numbering) {
	s.last = n.Number
	s.lastRecords = uint16(min(n.Records, math.MaxUint16))
	s.lastOptions = uint8(min(n.Options, math.MaxUint8))
	s.set(lastKnown, n.RecordsKnown)
}

// advance makes n the message before next.
func (s *Sequence) advance(n *Numbering) {
	_, end, whole := s.unit.span(n)
	s.next = end
	if s.unit == byDatagram { // its bit is still that of one long ago
		word, bit := s.missing(n.Number)
		*word &^= bit
	}
	s.set(open, s.unit.before() && !whole)
	if n.HasUptime {
		s.uptime = n.Uptime
	}
	s.set(hasUptime, n.HasUptime)
	s.run = 0
}

// inOrder takes a message that follows on the one before.
func (s *Sequence) inOrder(t *Tally, n *Numbering) {
	start, end, _ := s.unit.span(n)
	if start != end && !s.is(open) {
		s.raise()
		s.settle(t)
	}
	s.advance(n)
}

// outOfOrder takes any other message.
func (s *Sequence) outOfOrder(t *Tally, n *Numbering) {
	start, end, whole := s.unit.span(n)
	step := int64(int32(start - s.next))
	near, _ := s.unit.stride()
	switch {
	case s.is(left) && start == s.elsewhere && (step > near || step < -near):
		s.comeBack(t, n)
	case s.rebooted(n):
		s.reboot(t, n)
	case n.Number == s.last && !s.is(proven) && n.Records != int(s.lastRecords):
		s.advance(n) // it had not counted the message before
	case n.Number == s.last:
		return // the same message again, or an exporter that does not count
	case step > near || step < -near:
		s.suspect(t, n, jumpRun)
	case step > 0:
		if !s.is(open) && (whole || s.unit.before()) {
			s.skip(t, start)
		}
		s.advance(n)
	case s.fill(t, n):
	case whole && int32(end-s.next) > 0:
		// Over next: it is no repeated one, the numbers are off by some. No exporter
		// begins anew just there.
		s.lower()
		s.advance(n)
	default:
		s.suspect(t, n, strayRun)
	}
}

// strayRun is how many messages in a row must be somewhere that was passed already
// before they are a new beginning and not repeated; jumpRun is the same for far away.
// lateRun is for what was passed just now, unless the numbers go on from zero: that may
// be what another socket has received meanwhile, so many at a time.
const (
	strayRun = 8
	jumpRun  = 2
	lateRun  = 160
	// freshBelow is what numbers that go on from zero begin below.
	freshBelow = 8
)

// recent is how far back late messages may be, with none of which holes remembers.
func (u unit) recent() int64 {
	if u == byDatagram {
		return window
	}
	return 1 << 13
}

// patience is how many messages in a row from n on, which was passed already, are a
// new beginning.
func (s *Sequence) patience(n *Numbering) uint8 {
	start, _, _ := s.unit.span(n)
	if s.is(fresh) || int64(s.next-start) > s.unit.recent() {
		return strayRun
	}
	return lateRun
}

// suspect takes a message that is where none was expected. Several in a row, which
// follow one another there, are a new beginning, or a great loss; fewer are
// repeated, or astray.
func (s *Sequence) suspect(t *Tally, n *Numbering, needed uint8) {
	start, end, _ := s.unit.span(n)
	near, far := s.unit.stride()
	if s.run > 0 && !s.is(left) && int64(start-s.elsewhere) <= near {
		s.run = min(s.run+1, lateRun)
		s.set(fresh, s.is(fresh) && (start == s.elsewhere || !s.is(lastKnown) || !n.RecordsKnown))
	} else {
		s.run = 1
		s.set(fresh, start < freshBelow)
	}
	s.elsewhere = end
	s.set(left, false)
	if needed == strayRun {
		needed = s.patience(n)
	}
	if s.run < needed {
		return
	}
	step := int64(int32(start - s.next))
	// Numbers begin at zero: a loss that ends just there would be a great chance.
	if step <= 0 || step > far || int64(start) <= near {
		s.restart(t, n)
		return
	}
	// The message before was the first after what is missing.
	arrived := int64(1)
	if s.unit == byDatagram {
		s.markMissing(s.next, start)
		word, bit := s.missing(s.last)
		*word &^= bit
	} else {
		arrived = int64(s.lastRecords)
	}
	if s.is(lastKnown) {
		s.owe(t, max(0, step-arrived))
	}
	s.run = 0
	s.advance(n)
}
