package partition

import "net/netip"

// Builder makes a Table of ranges. Use it once, and not concurrently.
type Builder struct {
	v4, v6 family
	nodes  pool
}

// many is from how many ranges on the root of IPv4 decides three bytes: that takes
// 4 MB and spares nearly every address a node, and a branch that goes either way.
// A small table is faster with a root that stays in the processor's first cache.
const many = 1 << 16

// NewBuilder returns a Builder of a partition in about so many ranges, which
// decides how it is laid out, not what it says. All addresses have the number 0.
func NewBuilder(ranges int) *Builder {
	b := new(Builder)
	bytes4 := 2
	if ranges >= many {
		bytes4 = 3
	}
	b.nodes.known = map[uint64]uint32{}
	b.v4 = newFamily(bytes4, 4, &b.nodes)
	b.v6 = newFamily(2, 16, &b.nodes)
	return b
}

// From gives the addresses from start on the number value, MaxValue at most, until
// the next start of the same family. The starts of a family ascend; of two equal
// ones the later counts. IPv4 addresses are given as such, and :: stays without a
// number, since it stands for no address in a column.
func (b *Builder) From(start netip.Addr, value uint32) {
	if start.Is4() {
		a := start.As4()
		b.v4.from([16]byte{a[0], a[1], a[2], a[3]}, value)
		return
	}
	if start.IsUnspecified() {
		start = start.Next()
	}
	b.v6.from(start.As16(), value)
}

// Table returns the partition.
func (b *Builder) Table() *Table {
	t := &Table{v4: b.v4.finish(), v6: b.v6.finish()}
	t.nodes = b.nodes.level.clip()
	t.byte4 = 12 + b.v4.rootBytes
	t.rest4 = 32 - 8*b.v4.rootBytes
	return t
}

// family fills the trie of a family from its lowest address to its highest. Only
// the nodes on the way to where it stands are open.
type family struct {
	rootBytes, bytes int
	root             row
	open             []*row // below the root, the deepest last
	spare            []*row
	nodes            *pool

	at    [16]byte // filled up to here; IPv4 in the first four bytes
	value uint32   // what holds from there on
}

func newFamily(rootBytes, bytes int, nodes *pool) family {
	return family{rootBytes: rootBytes, bytes: bytes, root: newRow(1 << (8 * rootBytes)), nodes: nodes}
}

func (f *family) from(start [16]byte, value uint32) {
	if value == f.value {
		return
	}
	f.fill(start)
	f.value = value
}

// fill gives all addresses before start that have none yet the value in force.
func (f *family) fill(start [16]byte) {
	if start == f.at {
		return
	}
	differs := 0
	for f.at[differs] == start[differs] {
		differs++
	}
	for len(f.open) > f.depth(differs) {
		f.closeDeepest()
	}
	f.deepest().fill(f.slot(start), f.value)
	last := f.bytes - 1
	for start[last] == 0 {
		last--
	}
	for len(f.open) < f.depth(last) {
		f.openBelow()
		f.deepest().fill(f.slot(start), f.value)
	}
	f.at = start
}

// depth is how many nodes below the root it takes to decide the byte.
func (f *family) depth(i int) int { return max(0, i-f.rootBytes+1) }

// slot is the slot of the deepest open node that holds the address.
func (f *family) slot(a [16]byte) int {
	if n := len(f.open); n > 0 {
		return int(a[f.rootBytes+n-1])
	}
	slot := 0
	for _, b := range a[:f.rootBytes] {
		slot = slot<<8 | int(b)
	}
	return slot
}

func (f *family) deepest() *row {
	if n := len(f.open); n > 0 {
		return f.open[n-1]
	}
	return &f.root
}

func (f *family) openBelow() {
	if n := len(f.spare); n > 0 {
		f.open, f.spare = append(f.open, f.spare[n-1]), f.spare[:n-1]
		return
	}
	r := newRow(256)
	f.open = append(f.open, &r)
}

// closeDeepest fills the deepest open node to its end and puts it where it belongs.
func (f *family) closeDeepest() {
	r := f.deepest()
	r.fill(256, f.value)
	n := f.nodes.add(r)
	r.reset()
	f.open, f.spare = f.open[:len(f.open)-1], append(f.spare, r)
	parent := f.deepest()
	parent.fill(parent.next+1, link|n)
}

// finish fills what is left and returns the root.
func (f *family) finish() level {
	for len(f.open) > 0 {
		f.closeDeepest()
	}
	f.root.fill(64*len(f.root.groups), f.value)
	number(f.root.groups, 0)
	return f.root.level.clip()
}
