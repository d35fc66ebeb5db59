package collector

// unit is what numbers count.
type unit uint8

const (
	byRecord   unit = iota // the records before the message
	byDatagram             // the messages
	afterward              // the records up to the message's end
	units
)

// span is the numbers that n covers, from start up to end; whole is false where its
// records are not known, and with them one end.
func (u unit) span(n Numbering) (start, end uint32, whole bool) {
	if u == byDatagram {
		return n.Number, n.Number + 1, true
	}
	size := uint32(0)
	if n.RecordsKnown {
		size = uint32(n.Records)
	}
	if u == afterward {
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

// fitting says which units explain the step from the message before, and scores the
// ones that are not followed.
func (s *Sequence) fitting(n Numbering) (fits [units]bool) {
	step := n.Number - s.last
	if step == 0 {
		return fits // says nothing
	}
	// Where records are not known, a step of one could be any of them.
	tells := [units]bool{byRecord: s.is(lastKnown), byDatagram: s.is(lastKnown) && n.RecordsKnown, afterward: n.RecordsKnown}
	fits = [units]bool{byRecord: step == uint32(s.lastRecords), byDatagram: step == 1, afterward: step == uint32(n.Records)}
	for u := range units {
		fits[u] = fits[u] && tells[u]
		switch {
		case u == s.unit || !tells[u]:
		case fits[u]:
			s.scores[u] = min(s.scores[u]+1, sure)
		default:
			s.scores[u] = max(s.scores[u]-2, 0)
		}
	}
	// Nor can the unit that is followed be said not to fit.
	if s.unit != byDatagram && !tells[s.unit] {
		return [units]bool{}
	}
	return fits
}

// adopt goes on with n as the unit says that explains a step which the present one
// does not, if it has done so as often; it says whether there is one.
func (s *Sequence) adopt(n Numbering, fits [units]bool) bool {
	if fits[s.unit] {
		return false
	}
	best := s.unit
	for u := range units {
		if fits[u] && s.scores[u] >= s.scores[best] {
			best = u
		}
	}
	switch {
	case best == s.unit:
		return false
	case s.scores[best] >= adoptAt:
		s.unit = best
		s.forget()
		s.balance = 0
		s.set(proven, true)
	default:
		s.lower() // one of both is wrong
	}
	s.advance(n)
	return true
}
