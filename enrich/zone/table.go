package zone

import (
	"bytes"
	"net/netip"

	"tapwatch/enrich/partition"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// table is what an inventory says about every address.
type table struct {
	of      *inventory.Inventory
	numbers *partition.Table
	// entries are what it says by number; 0 is outside all zones.
	entries []inventory.Entry
	ranks   []rank // of the entries
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
	for _, e := range t.entries {
		t.ranks = append(t.ranks, rankOf(e))
	}
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

// watch marks the records that have a protected end, and which it is. Of two protected
// ends it is the better protected one, else the one with the higher address and port:
// both directions of a conversation give the same end.
func (t *table) watch(b *flow.Batch, from int, src, dst []uint32) {
	dst = dst[:len(src)]
	for i, n := range src {
		s, d := t.ranks[n], t.ranks[dst[i]]
		row := from + i
		switch {
		case s|d == unprotected:
			b.AssetEnd[row] = flow.AssetNone
		case d > s, d == s && above(b, row):
			b.AssetEnd[row] = flow.AssetDst
		default:
			b.AssetEnd[row] = flow.AssetSrc
		}
		b.Watched[row] = s|d != unprotected
	}
}

// above tells whether the destination has the higher address, or the same and the
// higher port.
func above(b *flow.Batch, row int) bool {
	if c := bytes.Compare(b.DstAddr[row][:], b.SrcAddr[row][:]); c != 0 {
		return c > 0
	}
	return b.DstPort[row] > b.SrcPort[row]
}

// rank is how well an end is protected.
type rank uint8

const (
	unprotected rank = iota
	protected
	intercept
)

func rankOf(e inventory.Entry) rank {
	switch {
	case !e.Protected:
		return unprotected
	case e.Kind == flow.ZoneLawfulIntercept:
		return intercept
	default:
		return protected
	}
}
