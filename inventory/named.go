package inventory

// A prefix shorter than these is larger than one subnet, and names nobody.
const (
	subnet4 = 24
	subnet6 = 64
)

// AllowsByName tells whether a rule that allows the conversation names its client, or its
// server: by asset, role, service, address or a prefix of one subnet. "The systems of role
// poi may reach MDF3" says who; "management may reach the core" lets a crowd in, and a
// login that was stolen keeps to it. Of several rules that allow the conversation the best
// counts for each end. Where the initiator is not known, a rule counts either way around.
func (v *Inventory) AllowsByName(c Conversation) (client, server bool) {
	from, to := v.party(c.Client), v.party(c.Server)
	for i := range v.Allow {
		r := &v.Allow[i]
		if !r.covers(&c) {
			continue
		}
		if anyMatches(r.From, &from) && anyMatches(r.To, &to) {
			client, server = client || anyNames(r.From, &from), server || anyNames(r.To, &to)
		}
		if (r.EitherInitiates || !c.InitiatorKnown) && anyMatches(r.From, &to) && anyMatches(r.To, &from) {
			client, server = client || anyNames(r.To, &from), server || anyNames(r.From, &to)
		}
	}
	return client, server
}

// anyNames tells whether one of the selectors selects the party and few others.
func anyNames(selectors []Selector, p *party) bool {
	for i := range selectors {
		if s := &selectors[i]; s.narrow() && s.matches(p) {
			return true
		}
	}
	return false
}

// narrow tells whether the selector names somebody, not a crowd.
func (s *Selector) narrow() bool {
	switch s.by {
	case byAsset, byRole, byService:
		return true
	case byPrefix:
		if s.prefix.Addr().Is4() {
			return s.prefix.Bits() >= subnet4
		}
		return s.prefix.Bits() >= subnet6
	default:
		return false
	}
}
