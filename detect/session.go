package detect

import (
	"net/netip"

	"tapwatch/alert"
	"tapwatch/flow"
)

// Session is what one five-tuple carried in one pane; End is one of its ends, and
// SessionSighting what one router saw of it.
type (
	Session         = flow.Session
	End             = flow.End
	SessionSighting = flow.SessionSighting
)

// Pane is the smallest window, Horizon how long before it evidence is looked for.
const (
	Pane    = flow.Pane
	Horizon = flow.Horizon
)

// PartyOf is the end with that address as alerts name it.
func PartyOf(e *End, addr netip.Addr) alert.Party {
	return alert.Party{Addr: addr, Zone: e.Zone, ZoneKind: e.Kind, Asset: e.Name,
		Role: e.Role, Country: e.Country, ASN: e.ASN, ASOrg: e.ASOrg}
}
