package scan

import (
	"context"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/flow"
)

// dark finds who sent anything to an address of a lawful-intercept zone at which
// nothing stands. One record is enough: nobody has a reason to. What was established
// there is for the detector policy to tell, and what the internet's scanners send to
// public addresses folds with the rest of what they do.
func (s *scene) dark(context.Context) ([]alert.Finding, error) {
	j := &judge{oneWay: s.cfg.OneWay, inv: s.inv, sessions: s.sessions}
	index := map[string]*suspect{}
	var all []*suspect
	for i := range s.sessions {
		c, ok := darkContact(&s.sessions[i])
		if !ok || c.Established || !j.dark(&c) || s.allowed(&c) || !c.near() {
			continue
		}
		x := index[c.source.String()]
		if x == nil {
			x = &suspect{addr: c.source, end: *c.sourceEnd}
			index[c.source.String()], all = x, append(all, x)
		}
		x.targets = append(x.targets, &target{addr: c.target, end: *c.targetEnd, protected: true, first: c.FirstSeen,
			outcome: failure, dark: true, protocol: c.Protocol, port: c.Port})
	}
	for _, x := range all {
		x.order()
	}
	return s.fold(all, func(x *suspect) alert.Finding { return s.darkHit(x) }), nil
}

// darkContact reads a session toward a lawful-intercept zone, also where its initiator
// is not known but one end alone sent. Answers to forged packets (backscatter) are no
// contacts: TCP without a SYN of its own, and errors of ICMP.
func darkContact(s *detect.Session) (c contact, ok bool) {
	c, ok = contactOf(s)
	if !ok && s.PacketsOut == 0 && s.Protocol != 1 && s.Protocol != 58 {
		one := *s
		one.Initiator = "peer"
		c, ok = contactOf(&one)
		c.Session = s
	}
	if !ok || c.targetEnd.Kind != flow.ZoneLawfulIntercept || c.sent == 0 {
		return contact{}, false
	}
	return c, c.Protocol != flow.ProtocolTCP || c.tried || c.sourceFlags == 0
}
