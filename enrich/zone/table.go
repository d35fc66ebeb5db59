package zone

import (
	"net/netip"

	"tapwatch/enrich/partition"
	"tapwatch/inventory"
)

// table is what an inventory says about every address.
type table struct {
	of      *inventory.Inventory
	numbers *partition.Table
	// entries are what it says by number; 0 is outside all zones.
	entries []inventory.Entry
}

func newTable(v *inventory.Inventory) *table {
	t := &table{of: v, entries: make([]inventory.Entry, 1)}
	numbers := map[inventory.Entry]uint32{}
	number := func(yield func(netip.Prefix, uint32) bool) {
		for p, entry := range v.Entries() {
			n, ok := numbers[entry]
			if !ok {
				n = uint32(len(t.entries))
				numbers[entry] = n
				t.entries = append(t.entries, entry)
			}
			if !yield(p, n) {
				return
			}
		}
	}
	b := partition.NewBuilder(0)
	for start, n := range partition.Ranges(number) {
		b.From(start, n)
	}
	t.numbers = b.Table()
	return t
}

// fill sets the columns of one end. It writes the empty tags of number 0 like any
// others: which ends are in a zone is as good as random, and a processor that
// guesses that wrong loses more time than the writing takes.
func (t *table) fill(numbers []uint32, zone, kind, asset, role []string) {
	zone, kind, asset, role = zone[:len(numbers)], kind[:len(numbers)], asset[:len(numbers)], role[:len(numbers)]
	for i, n := range numbers {
		e := &t.entries[n]
		zone[i], kind[i], asset[i], role[i] = e.Zone, e.Kind, e.Asset, e.Role
	}
}

// watch marks the records that have a protected end.
func (t *table) watch(src, dst []uint32, watched []bool) {
	dst, watched = dst[:len(src)], watched[:len(src)]
	for i, s := range src {
		watched[i] = t.entries[s].Protected || t.entries[dst[i]].Protected
	}
}
