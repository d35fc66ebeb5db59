package collector

// unit is what numbers count.
type unit uint8

// Of two that explain the same, the later one is taken.
const (
	byData        unit = iota // the records before the message, without those of options
	dataAfterward             // the records up to the message's end, without those of options (softflowd)
	byRecord                  // the records before the message
	byDatagram                // the messages
	afterward                 // the records up to the message's end
	units
)

// before and after say at which end of the message the number of records is.
func (u unit) before() bool { return u == byRecord || u == byData }
func (u unit) after() bool  { return u == afterward || u == dataAfterward }

// span is the numbers that n covers, from start up to end; whole is false where its
// records are not known, and with them one end.
func (u unit) span(n *Numbering) (start, end uint32, whole bool) {
	if u == byDatagram {
		return n.Number, n.Number + 1, true
	}
	size := uint32(0)
	if n.RecordsKnown {
		size = uint32(n.Records)
		if u == byData || u == dataAfterward {
			size -= uint32(n.Options)
		}
	}
	if u.after() {
		return n.Number - size, n.Number, n.RecordsKnown
	}
	return n.Number, n.Number + size, n.RecordsKnown
}

// stride bounds steps: near is the farthest that is taken at its word, far the
// farthest that is still a loss and no new beginning.
func (u unit) stride() (near, far int64) {
	if u == byDatagram {
		return 1000, 1 << 24
	}
	return 1 << 15, 1 << 28
}

// steps says which units explain the step from the message before, whose records are
// known, as those of n are.
func (s *Sequence) steps(n *Numbering) [units]bool {
	step := n.Number - s.last
	return [units]bool{
		byData:        step == uint32(s.lastRecords)-uint32(s.lastOptions),
		dataAfterward: step == uint32(n.Records)-uint32(n.Options),
		byRecord:      step == uint32(s.lastRecords),
		byDatagram:    step == 1,
		afterward:     step == uint32(n.Records),
	}
}

// fitting says which units explain the step from the message before, and scores the
// ones that are not followed.
func (s *Sequence) fitting(n *Numbering) (fits [units]bool) {
	if n.Number == s.last {
		return fits // says nothing
	}
	// Where records are not known, a step of one could be any of them.
	before, after := s.is(lastKnown), n.RecordsKnown
	tells := [units]bool{byData: before, byRecord: before, byDatagram: before && after, dataAfterward: after, afterward: after}
	fits = s.steps(n)
	for u := range units {
		fits[u] = fits[u] && tells[u]
		if u != s.unit && tells[u] {
			s.scores[u] = rescored(s.scores[u], fits[u])
		}
	}
	// Nor can the unit that is followed be said not to fit.
	if s.unit != byDatagram && !tells[s.unit] {
		return [units]bool{}
	}
	return fits
}

// rescored is the score of a unit that is not followed after one more step.
func rescored(score int8, fits bool) int8 {
	if fits {
		return min(score+1, sure)
	}
	return max(score-2, 0)
}

// adopt goes on with n as the unit says that explains a step which the present one
// does not, if it has done so as often; it says whether there is one.
func (s *Sequence) adopt(t *Tally, n *Numbering, fits [units]bool) bool {
	if fits[s.unit] {
		return false
	}
	best := s.unit
	for u := range units {
		if fits[u] && s.scores[u] >= s.scores[best] {
			best = u
		}
	}
	if best == s.unit {
		return false
	}
	start, _, _ := s.unit.span(n)
	near, _ := s.unit.stride()
	step := int64(int32(start - s.next))
	switch {
	case s.scores[best] >= adoptAt:
		s.unit = best
		s.forget()
		s.balance, s.long = 0, 0
		s.set(proven, true)
	case !s.is(proven) && s.long > 0 && !s.is(open) && step > 0 && step <= near:
		s.skip(t, start) // perhaps by chance
	default:
		s.lower() // one of both is wrong
	}
	s.advance(n)
	return true
}
