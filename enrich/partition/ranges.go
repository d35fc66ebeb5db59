package partition

import (
	"iter"
	"net/netip"
)

// Ranges gives the starts of the ranges, and their numbers, for prefixes in their
// canonical order: by family, address and length. Of two prefixes that hold an
// address the longer counts; what none holds has the number 0.
func Ranges(prefixes iter.Seq2[netip.Prefix, uint32]) iter.Seq2[netip.Addr, uint32] {
	return func(yield func(netip.Addr, uint32) bool) {
		var inside nest
		for p, value := range prefixes {
			if !inside.leave(p.Addr(), yield) || !yield(p.Addr(), value) {
				return
			}
			inside = append(inside, held{p, value})
		}
		inside.leave(netip.Addr{}, yield)
	}
}

// nest is the prefixes that hold an address, the widest first.
type nest []held

type held struct {
	prefix netip.Prefix
	value  uint32
}

// leave drops the prefixes that end before the address, all for the zero Addr, and
// yields where what is around them goes on. It is false when yield is.
func (n *nest) leave(addr netip.Addr, yield func(netip.Addr, uint32) bool) bool {
	for len(*n) > 0 {
		inner := (*n)[len(*n)-1]
		if inner.prefix.Contains(addr) {
			return true
		}
		*n = (*n)[:len(*n)-1]
		var around uint32
		if len(*n) > 0 {
			around = (*n)[len(*n)-1].value
		}
		if next := last(inner.prefix).Next(); next.IsValid() && !yield(next, around) {
			return false
		}
	}
	return true
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	a := p.Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(a); bit++ {
		a[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(a)
	return addr
}
