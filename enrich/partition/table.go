// Package partition maps addresses to numbers: it cuts the address space into
// ranges, gives each range a number, and finds the number of an address in a few
// loads from memory, whatever the address.
//
// A Table is a trie over the bytes of the address. A Builder makes it of ranges in
// ascending order, and Ranges makes such ranges of prefixes that lie in each other.
package partition

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// MaxValue is the highest number a range may have.
const MaxValue = link - 1

// Table is an immutable partition, made by a Builder. It is safe for concurrent
// use.
//
// A node of the trie decides one byte, its root two or three. Neighbouring slots
// that lead to the same share one entry: a bit says where a new one begins, and
// counting the bits up to a slot finds its entry. So a node takes 64 bytes and an
// entry four, and a look-up reads one line of memory for each of the two.
type Table struct {
	v4, v6 level
	// nodes holds all nodes below the roots: the slots of node n begin at n*256.
	nodes level
	// rest4 is how many bits of an IPv4 address its root leaves open, and byte4
	// where they begin in the 16 bytes.
	rest4, byte4 int
}

// level is a row of slots.
type level struct {
	groups  []group
	entries []uint32
}

// group is 64 slots. A bit of starts is set where a slot has another entry than the
// one before it, and base is the entry that is in force before the first slot.
type group struct {
	starts uint64
	base   uint32
}

// link marks an entry that leads to a node, whose number it has in its other bits.
const link = 1 << 31

// at gives the entry of a slot.
func (l *level) at(slot int) uint32 {
	g := &l.groups[slot>>6]
	upTo := g.starts << (63 - uint(slot)&63)
	return l.entries[int(g.base)+bits.OnesCount64(upTo)]
}

// clip returns the level in no more memory than it needs.
func (l *level) clip() level {
	return level{groups: slices.Clone(l.groups), entries: slices.Clone(l.entries)}
}

// Lookup sets values[i] to the number of addrs[i], for all of addrs; 0 where no
// range has the address. The addresses are those of a column: IPv4 mapped into
// IPv6, and all zero for none, which has no number. To give it many at a time is
// faster than one by one: the processor then waits for several loads at once.
func (t *Table) Lookup(addrs [][16]byte, values []uint32) {
	values = values[:len(addrs)]
	for i := range addrs {
		a := &addrs[i]
		if low := binary.BigEndian.Uint64(a[8:]); low>>32 == 0xffff && binary.BigEndian.Uint64(a[:8]) == 0 {
			values[i] = t.v4.at(int(uint32(low)) >> t.rest4)
			if values[i]&link != 0 {
				values[i] = t.descend(values[i], a, t.byte4)
			}
			continue
		}
		values[i] = t.v6.at(int(binary.BigEndian.Uint16(a[:2])))
		if values[i]&link != 0 {
			values[i] = t.descend(values[i], a, 2)
		}
	}
}

// descend follows an entry to the number, deciding the bytes of the address from
// the given one on.
func (t *Table) descend(entry uint32, a *[16]byte, next int) uint32 {
	for entry&link != 0 {
		entry = t.nodes.at(int(entry&^link)<<8 | int(a[next&15]))
		next++
	}
	return entry
}
