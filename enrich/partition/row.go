package partition

import "math/bits"

// row is a level that is being filled, from its first slot to its last.
type row struct {
	level
	next int // the first slot without an entry
}

func newRow(slots int) row {
	return row{level: level{groups: make([]group, slots/64)}}
}

// fill gives the slots before end that have none yet the entry.
func (r *row) fill(end int, entry uint32) {
	if r.next >= end {
		return
	}
	switch n := len(r.entries); {
	case n == 0:
		r.entries = append(r.entries, entry)
	case r.entries[n-1] != entry:
		r.entries = append(r.entries, entry)
		r.groups[r.next>>6].starts |= 1 << (r.next & 63)
	}
	r.next = end
}

// reset empties the row.
func (r *row) reset() {
	clear(r.groups)
	r.entries, r.next = r.entries[:0], 0
}

// number sets the bases of the groups of a row whose first entry is the given one.
func number(groups []group, first int) {
	for i := range groups {
		groups[i].base = uint32(first)
		first += bits.OnesCount64(groups[i].starts)
	}
}
