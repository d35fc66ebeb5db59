package geo

import (
	"errors"
	"iter"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

var (
	allIPv4 = netip.MustParsePrefix("0.0.0.0/0")
	allIPv6 = netip.MustParsePrefix("::/0")
)

// everything is the prefix of all addresses that the file is about.
func (d *database) everything() netip.Prefix {
	if d.reader.Metadata.IPVersion == 4 {
		return allIPv4
	}
	return allIPv6
}

// walk gives the leaves of the tree inside a prefix, with and without a record, in
// the order of their addresses. It ends with the first error. Other parts of a tree
// may lead to the one of IPv4 too: it comes again there, as 6to4 and Teredo.
//
// A tree of n nodes has n+1 leaves, a few times as many with such aliases; one that
// leads to many more shares its branches and might take for ever to walk.
func (d *database) walk(within netip.Prefix) iter.Seq2[maxminddb.Result, error] {
	const shared = 16
	left := shared * (d.reader.Metadata.NodeCount + 1)
	leaves := d.reader.NetworksWithin(within, maxminddb.IncludeNetworksWithoutData(), maxminddb.IncludeAliasedNetworks())
	return func(yield func(maxminddb.Result, error) bool) {
		for leaf := range leaves {
			err := leaf.Err()
			if left == 0 {
				err = errors.New("the search tree has more leaves than its nodes can carry")
			}
			left--
			if !yield(leaf, err) || err != nil {
				return
			}
		}
	}
}

// starts gives where another tag begins, for all of IPv4 and then all of IPv6, and
// nothing where the database is off.
func (d *database) starts(yield func(netip.Addr, uint32) bool) {
	if d == nil {
		return
	}
	_ = d.startsWithin(allIPv4, yield) && d.startsWithin(allIPv6, yield)
}

// startsWithin is starts for one family; false where yield is.
func (d *database) startsWithin(family netip.Prefix, yield func(netip.Addr, uint32) bool) bool {
	if d.reader.Metadata.IPVersion == 4 && family == allIPv6 {
		return yield(family.Addr(), d.unknown)
	}
	var last uint32 // no leaf has this tag
	for leaf, err := range d.walk(family) {
		if err != nil {
			break // cannot be: decode walked the whole tree
		}
		tag := d.tag(leaf)
		if tag == last {
			continue
		}
		start := leaf.Prefix().Addr()
		if family == allIPv6 && start.Is4() {
			start = compatible(start)
		}
		if start.Is4In6() {
			continue // the columns have these as IPv4
		}
		if !yield(start, tag) {
			return false
		}
		last = tag
	}
	return true
}

func (d *database) tag(leaf maxminddb.Result) uint32 {
	if tag, ok := d.tags[leaf.Offset()]; ok && leaf.Found() {
		return tag
	}
	return d.unknown
}

// compatible is the IPv6 address where a tree has an IPv4 address (RFC 4291
// §2.5.5.1).
func compatible(a netip.Addr) netip.Addr {
	b := a.As4()
	return netip.AddrFrom16([16]byte{12: b[0], 13: b[1], 14: b[2], 15: b[3]})
}
