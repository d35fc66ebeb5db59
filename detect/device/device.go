// Package device holds what the detectors about routers and other network devices
// share: which end of a session is a device, a session as its client saw it, and hits
// gathered into findings of which one stands for many.
package device

import (
	"net/netip"
	"slices"
	"strings"

	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// Roles are the roles of assets that are devices wherever they stand, in lower case.
// What stands in an infrastructure zone is a device without a role.
type Roles []string

// DefaultRoles are what carriers call their network devices.
func DefaultRoles() Roles {
	return Roles{"router", "switch", "firewall", "route-reflector", "bng", "olt", "load-balancer"}
}

// Has tells whether the end is a device.
func (r Roles) Has(e *detect.End) bool {
	return e.Kind == flow.ZoneInfrastructure || e.Role != "" && slices.Contains(r, strings.ToLower(e.Role))
}

// Touches tells whether either end of the session is a device.
func (r Roles) Touches(s *detect.Session) bool { return r.Has(&s.Asset) || r.Has(&s.Peer) }

// AsClient is the session with the end that opened it as its asset. Where the flows do
// not tell who did, the end that does not hold the service port counts as the client.
func AsClient(s *detect.Session) detect.Session {
	if s.AssetServes {
		return s.Turned()
	}
	return *s
}

// AsServer is the session with the end that was asked as its asset.
func AsServer(s *detect.Session) detect.Session {
	if s.AssetServes {
		return *s
	}
	return s.Turned()
}

// Conversation is what sessions between the same two ends for one service add up to,
// with the first session's asset as its asset. There is at least one.
func Conversation(sessions ...detect.Session) detect.Conversation {
	all := detect.Converse(sessions, nil, true)
	c := all[0]
	if c.AssetAddr != sessions[0].AssetAddr {
		c = c.Turned()
	}
	return c
}

// Allowed tells whether a rule of the inventory allows the conversation.
func Allowed(inv *inventory.Inventory, c *detect.Conversation) bool {
	_, ok := inv.Allowed(c.AsAsked())
	return ok
}

// Listed tells whether one of the inventory's services of these names holds the address.
func Listed(inv *inventory.Inventory, services []string, addr netip.Addr) bool {
	for i := range inv.Services {
		s := &inv.Services[i]
		if slices.Contains(services, s.Name) && slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			return true
		}
	}
	return false
}

// Names tells whether the inventory has a service of one of these names at all.
func Names(inv *inventory.Inventory, services []string) bool {
	return slices.ContainsFunc(inv.Services, func(s inventory.Service) bool { return slices.Contains(services, s.Name) })
}

// Outside tells whether the end is outside all zones.
func Outside(e *detect.End) bool { return e.Zone == "" }
