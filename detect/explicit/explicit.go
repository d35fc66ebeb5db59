// Package explicit tells rules that name somebody from rules that let a crowd in. "The
// systems of role poi may reach MDF3" says who; "management may reach the core" does
// not, and a login that was stolen keeps to it. Detectors of what is new and unusual
// are silent about the first and look at the second.
package explicit

import (
	"net/netip"
	"strings"

	"tapwatch/inventory"
)

// A prefix shorter than these is larger than one subnet, and names nobody.
const (
	subnet4 = 24
	subnet6 = 64
)

// Allowed says whether some rule allows the conversation and names its client, or its
// server: by asset, role, service, address or a prefix of one subnet. A zone, a kind of
// zone, a larger prefix and any name nobody. Of several rules that allow it the best
// counts for each end. Where the initiator is not known, a rule counts either way around.
func Allowed(inv *inventory.Inventory, c inventory.Conversation) (client, server bool) {
	if _, ok := inv.Allowed(c); !ok {
		return false, false
	}
	from, to := end{inv.Lookup(c.Client), c.Client.Unmap()}, end{inv.Lookup(c.Server), c.Server.Unmap()}
	for i := range inv.Allow {
		r := &inv.Allow[i]
		if !covers(r, &c) {
			continue
		}
		if a, b := from.matched(inv, r.From), to.matched(inv, r.To); a > 0 && b > 0 {
			client, server = client || a == named, server || b == named
		}
		if r.EitherInitiates || !c.InitiatorKnown {
			if a, b := to.matched(inv, r.From), from.matched(inv, r.To); a > 0 && b > 0 {
				client, server = client || b == named, server || a == named
			}
		}
	}
	return client, server
}

// covers tells whether protocol, port and time of the conversation are the rule's.
func covers(r *inventory.Rule, c *inventory.Conversation) bool {
	if !r.AnyProtocol && r.Protocol != c.Protocol || !r.Expires.IsZero() && !c.At.Before(r.Expires) || !r.Schedule.Contains(c.At) {
		return false
	}
	for _, p := range r.Ports {
		if p.First <= c.Port && c.Port <= p.Last {
			return true
		}
	}
	return len(r.Ports) == 0
}

// match is how a rule's selectors meet an end.
type match uint8

const (
	_ match = iota
	crowd
	named
)

type end struct {
	inventory.Entry
	addr netip.Addr
}

// matched is the best that one of the selectors says of the end; 0 for none.
func (e *end) matched(inv *inventory.Inventory, selectors []inventory.Selector) (best match) {
	for _, s := range selectors {
		best = max(best, e.selected(inv, s.String()))
	}
	return best
}

// selected reads a selector as written in the inventory; see inventory.Selector.
func (e *end) selected(inv *inventory.Inventory, text string) match {
	by, value, _ := strings.Cut(text, ":")
	switch {
	case text == "any":
		return crowd
	case by == "zone" && value == e.Zone, by == "kind" && value == e.Kind:
		return crowd
	case by == "asset" && value == e.Asset, by == "role" && value == e.Role:
		return named
	case by == "service":
		for i := range inv.Services {
			if s := &inv.Services[i]; s.Name == value {
				return e.within(s.Prefixes, named)
			}
		}
		return 0
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		least := subnet4
		if p.Addr().Is6() {
			least = subnet6
		}
		if p.Bits() < least {
			return e.within([]netip.Prefix{p}, crowd)
		}
		return e.within([]netip.Prefix{p}, named)
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Unmap() == e.addr {
		return named
	}
	return 0
}

// within gives m where one of the prefixes holds the end.
func (e *end) within(prefixes []netip.Prefix, m match) match {
	for _, p := range prefixes {
		if p.Contains(e.addr) {
			return m
		}
	}
	return 0
}
