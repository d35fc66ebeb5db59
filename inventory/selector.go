package inventory

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// Selector is one end of a rule, as in the file: zone:NAME, kind:KIND,
// asset:NAME, role:NAME, service:NAME, an address, a prefix, or any.
type Selector struct {
	text   string
	by     selectorKind
	value  string       // of zone, kind, asset and role
	prefix netip.Prefix // of an address or a prefix
	peers  *bart.Lite   // of a service
}

type selectorKind uint8

const (
	byNothing selectorKind = iota
	byAny
	byZone
	byKind
	byAsset
	byRole
	byService
	byPrefix
)

// String gives the selector as written in the file.
func (s Selector) String() string { return s.text }

// matches tells whether the selector selects the party. The zero Selector selects
// nothing.
func (s *Selector) matches(p *party) bool {
	switch s.by {
	case byAny:
		return true
	case byZone:
		return p.Zone == s.value
	case byKind:
		return p.Kind == s.value
	case byAsset:
		return p.Asset == s.value
	case byRole:
		return p.Role == s.value
	case byService:
		return s.peers.Contains(p.addr)
	case byPrefix:
		return s.prefix.Contains(p.addr)
	}
	return false
}

// party is one end of a conversation, looked up.
type party struct {
	Entry
	addr netip.Addr
}

// name is what a person calls the party: its asset with the address, or the
// address.
func (p *party) name() string {
	if p.Asset != "" {
		return p.Asset + " (" + p.addr.String() + ")"
	}
	return p.addr.String()
}

// anyMatches tells whether one of the selectors selects the party.
func anyMatches(selectors []Selector, p *party) bool {
	for i := range selectors {
		if selectors[i].matches(p) {
			return true
		}
	}
	return false
}
