package inventory

import (
	"net/netip"

	"tapwatch/flow"
)

// Zone is a set of address ranges with one purpose.
type Zone struct {
	Name string
	// Kind is one of the flow.Zone constants or free text.
	Kind     string
	Prefixes []netip.Prefix
	// Protected says that flows which touch the zone are watched. Without a word
	// in the file it is true for the kinds with a meaning of their own.
	Protected bool
	Assets    []Asset
}

// Asset is a system in a zone.
type Asset struct {
	Name      string
	Addresses []netip.Addr
	// Role is what it is for, in the operator's words: admf, mdf2, poi, router, …
	Role string
}

// Service is a named set of peers, for use in rules.
type Service struct {
	Name     string
	Prefixes []netip.Prefix
}

// Kinds are the kinds of zone with a meaning of their own; they are protected
// unless the file says otherwise.
func Kinds() []string {
	return []string{flow.ZoneLawfulIntercept, flow.ZoneCore, flow.ZoneManagement, flow.ZoneInfrastructure}
}
