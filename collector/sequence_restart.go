package collector

// rebooted says whether the exporter's uptime went back, by more than messages
// overtake one another. It wraps after 49.7 days.
func (s *Sequence) rebooted(n *Numbering) bool {
	const minute, hour = 60_000, 3_600_000
	return s.is(hasUptime) && n.HasUptime &&
		n.Uptime < s.uptime && s.uptime-n.Uptime > minute && n.Uptime-s.uptime > hour
}

// reboot takes the first message after a reboot. Uptimes that go back time and again
// mean nothing.
func (s *Sequence) reboot(t *Tally, n *Numbering) {
	score := &s.scores[s.unit]
	s.begin(t, n, *score >= 0 && !s.is(mixed))
	*score = max(*score-provenAt, confused)
	s.long = max(s.long-longProof/2, noPattern)
	if *score <= 0 {
		s.set(proven, false)
	}
}

// restart takes a message that shows a new beginning by its number alone.
func (s *Sequence) restart(t *Tally, n *Numbering) {
	s.begin(t, n, s.is(proven))
	s.scores[s.unit], s.long = 0, 0
	s.set(proven, false)
}

// begin goes on from n as from a new beginning.
func (s *Sequence) begin(t *Tally, n *Numbering, counts bool) {
	if counts {
		t.Restarts++
	}
	before := s.next
	s.forget()
	s.elsewhere = before
	s.set(left, true)
	s.advance(n)
}

// comeBack goes on where the sequence had been before a supposed new beginning: there
// was none, and two counters send side by side.
func (s *Sequence) comeBack(t *Tally, n *Numbering) {
	if !s.is(mixed) && t.Restarts > 0 {
		t.Restarts--
	}
	s.begin(t, n, false)
	s.scores[s.unit], s.long = confused, noPattern
	s.set(proven, false)
	s.set(mixed, true)
}

// forget drops what holds for the sequence so far alone.
func (s *Sequence) forget() {
	s.holeStart, s.holeLength, s.run = [holes]uint32{}, [holes]uint16{}, 0
	s.balance = min(s.balance, 0)
	s.set(left, false)
}
