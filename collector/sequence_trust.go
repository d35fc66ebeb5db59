package collector

// Scores say how well the numbers fit a unit.
const (
	sure     = 100 // and beyond doubt: that much is lost does not change it
	provenAt = 4
	adoptAt  = 8 // for units that are not the protocol's
	doubtful = -4
	confused = -16
)

// raise is for a step that fits.
func (s *Sequence) raise() {
	score := &s.scores[s.unit]
	*score = min(*score+1, sure)
	if *score >= provenAt {
		s.set(proven, true)
		s.set(mixed, false)
	}
}

// lower is for numbers that were skipped.
func (s *Sequence) lower() {
	score := &s.scores[s.unit]
	switch {
	case *score == sure:
		return
	case s.is(proven):
		*score--
	default:
		*score -= 2
	}
	*score = max(*score, confused)
	if *score <= 0 {
		s.set(proven, false)
	}
	if *score <= doubtful {
		s.balance = 0 // what was skipped so far means nothing
	}
}
