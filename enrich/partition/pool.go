package partition

import (
	"math/bits"
	"slices"
)

// pool holds the finished nodes, equal ones once: the databases of geography repeat
// all of IPv4 inside IPv6, several times.
type pool struct {
	level
	known map[uint64]uint32 // a node by the hash of its row
}

// add returns the number of the node that the row makes.
func (p *pool) add(r *row) uint32 {
	h := hash(r)
	known, hit := p.known[h]
	if hit && p.equal(int(known), r) {
		return known
	}
	n := uint32(len(p.groups) / 4)
	number(r.groups, len(p.entries))
	p.groups = append(p.groups, r.groups...)
	p.entries = append(p.entries, r.entries...)
	if !hit {
		p.known[h] = n
	}
	return n
}

// equal tells whether a node has the slots of the row.
func (p *pool) equal(n int, r *row) bool {
	groups := p.groups[4*n:][:4]
	for i := range groups {
		if groups[i].starts != r.groups[i].starts {
			return false
		}
	}
	entries := p.entries[groups[0].base:]
	return len(entries) >= len(r.entries) && slices.Equal(entries[:len(r.entries)], r.entries)
}

// hash mixes the slots of a row (multiplication and rotation, as in FxHash).
func hash(r *row) uint64 {
	var h uint64
	mix := func(x uint64) { h = (bits.RotateLeft64(h, 5) ^ x) * 0x517cc1b727220a95 }
	for i := range r.groups {
		mix(r.groups[i].starts)
	}
	for _, e := range r.entries {
		mix(uint64(e))
	}
	return h
}
