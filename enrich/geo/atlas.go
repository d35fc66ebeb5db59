package geo

import (
	"errors"
	"iter"
	"net/netip"

	"tapwatch/enrich/partition"
)

// atlas is what the databases in force say about every address.
type atlas struct {
	tags         *partition.Table
	systems      []system
	country, asn edition // the zero edition where off
}

// newAtlas reads the databases and lays them on one another.
func newAtlas(cfg Config) (*atlas, error) {
	found := newSystems()
	country, errCountry := open(cfg.CountryDatabase, "country_database", "countries", unknownCountry, countryTag)
	asn, errASN := open(cfg.ASNDatabase, "asn_database", "autonomous systems", unknownSystem, found.tag)
	if err := errors.Join(errCountry, errASN); err != nil {
		return nil, err
	}
	return &atlas{
		tags:    overlay(country.size()+asn.size(), country.starts, asn.starts, public()),
		systems: found.list,
		country: country.edition(),
		asn:     asn.edition(),
	}, nil
}

// overlay makes the partition in which an address has the tags of both databases
// where the mask has ones. Each argument gives the starts of ranges, in order.
func overlay(ranges int, country, asn, mask iter.Seq2[netip.Addr, uint32]) *partition.Table {
	c, a, m := newCursor(country), newCursor(asn), newCursor(mask)
	defer c.stop()
	defer a.stop()
	defer m.stop()
	b := partition.NewBuilder(ranges)
	for {
		start, ok := lowest(c, a, m)
		if !ok {
			return b.Table()
		}
		b.From(start, (c.at(start)|a.at(start))&m.at(start))
	}
}

// cursor stands in a sequence of ranges.
type cursor struct {
	pull func() (netip.Addr, uint32, bool)
	stop func()

	here uint32 // the number in force
	// The start ahead and its number; more is false at the end.
	next  netip.Addr
	ahead uint32
	more  bool
}

func newCursor(seq iter.Seq2[netip.Addr, uint32]) *cursor {
	c := new(cursor)
	c.pull, c.stop = iter.Pull2(seq)
	c.next, c.ahead, c.more = c.pull()
	return c
}

// at moves up to the start and gives the number in force there.
func (c *cursor) at(start netip.Addr) uint32 {
	for c.more && c.next == start {
		c.here = c.ahead
		c.next, c.ahead, c.more = c.pull()
	}
	return c.here
}

// lowest is the lowest start ahead of the cursors; false where all are at the end.
func lowest(cursors ...*cursor) (start netip.Addr, ok bool) {
	for _, c := range cursors {
		if c.more && (!ok || c.next.Less(start)) {
			start, ok = c.next, true
		}
	}
	return start, ok
}
