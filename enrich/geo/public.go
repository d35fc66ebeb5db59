package geo

import "net/netip"

// IPv4 blocks beyond netip's classes that belong to nobody (IANA IPv4
// Special-Purpose Address Registry). The documentation blocks are not among them:
// no traffic carries them, and examples may give them a place.
var (
	thisNetwork    = netip.MustParsePrefix("0.0.0.0/8")
	sharedSpace    = netip.MustParsePrefix("100.64.0.0/10")
	benchmarking   = netip.MustParsePrefix("198.18.0.0/15")
	formerlyClassE = netip.MustParsePrefix("240.0.0.0/4")
)

// public tells whether an address can have a country: it is not private, shared,
// link-local, loopback, multicast, reserved or the zero Addr.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false // the zero Addr is no global unicast address either
	}
	return !a.Is4() || !thisNetwork.Contains(a) && !sharedSpace.Contains(a) && !benchmarking.Contains(a) && !formerlyClassE.Contains(a)
}
