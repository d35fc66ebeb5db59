package collector

// Scores say how well the numbers fit a unit.
const (
	sure     = 100 // and beyond doubt: that much is lost does not change it
	provenAt = 4
	adoptAt  = 8 // for units that are not the protocol's
	confused = -16
)

// The long run is for numbers with gaps from the first one on, of which a few in a row
// never show a pattern. It rises where more than four steps in nine fit: so many do
// where up to half of the messages are lost; numbers that follow no pattern have fewer,
// and so has each of three domains or more that share a counter.
const (
	fit       = 5
	skip      = 4
	longProof = 60
	longSure  = 120
	noPattern = -100
)

// raise is for a step that fits.
func (s *Sequence) raise() {
	score := &s.scores[s.unit]
	*score = min(*score+1, sure)
	s.long = min(s.long+fit, longSure)
	if s.long >= longProof {
		*score = max(*score, provenAt)
	}
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
	s.long = max(s.long-skip, noPattern)
	if *score <= 0 && s.long <= 0 {
		s.set(proven, false)
	}
	if s.long == noPattern {
		s.balance = 0 // what was skipped so far means nothing
	}
}
