package geo

import (
	"iter"
	"net/netip"
	"slices"

	"tapwatch/enrich/partition"
)

// unplaced are the blocks that have no country: private, shared, link-local,
// loopback, multicast or reserved (IANA IPv4 and IPv6 Special-Purpose Address
// Registries), in canonical order. The documentation blocks are not among them: no
// traffic carries them, and examples may give them a place.
var unplaced = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network
	netip.MustParsePrefix("10.0.0.0/8"),     // private
	netip.MustParsePrefix("100.64.0.0/10"),  // shared, behind carriers' translators
	netip.MustParsePrefix("127.0.0.0/8"),    // loopback
	netip.MustParsePrefix("169.254.0.0/16"), // link-local
	netip.MustParsePrefix("172.16.0.0/12"),  // private
	netip.MustParsePrefix("192.168.0.0/16"), // private
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarking
	netip.MustParsePrefix("224.0.0.0/4"),    // multicast
	netip.MustParsePrefix("240.0.0.0/4"),    // formerly class E
	netip.MustParsePrefix("::/127"),         // unspecified and loopback
	netip.MustParsePrefix("fc00::/7"),       // private
	netip.MustParsePrefix("fe80::/10"),      // link-local
	netip.MustParsePrefix("ff00::/8"),       // multicast
}

// public gives the starts of the ranges of addresses that can have a country, with
// a mask of all ones, and of the others, with zero.
func public() iter.Seq2[netip.Addr, uint32] {
	const all, none = ^uint32(0), 0
	return partition.Ranges(func(yield func(netip.Prefix, uint32) bool) {
		blocks := append(unplaced[:], allIPv4, allIPv6)
		slices.SortFunc(blocks, netip.Prefix.Compare)
		for _, p := range blocks {
			mask := uint32(none)
			if p.Bits() == 0 {
				mask = all
			}
			if !yield(p, mask) {
				return
			}
		}
	})
}
