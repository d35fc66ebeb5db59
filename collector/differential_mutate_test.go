package collector_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// mutation changes the datagrams of a scenario in place, and gives them.
type mutation struct {
	name  string
	apply func(r *rand.Rand, all [][]byte) [][]byte
}

var mutations = []mutation{
	{"cut", func(r *rand.Rand, all [][]byte) [][]byte {
		i := r.IntN(len(all))
		all[i] = all[i][:r.IntN(len(all[i])+1)]
		return all
	}},
	{"flip", func(r *rand.Rand, all [][]byte) [][]byte {
		for range 1 + r.IntN(3) {
			if p := all[r.IntN(len(all))]; len(p) > 0 {
				p[r.IntN(len(p))] ^= byte(1 << r.IntN(8))
			}
		}
		return all
	}},
	{"byte", func(r *rand.Rand, all [][]byte) [][]byte {
		if p := all[r.IntN(len(all))]; len(p) > 0 {
			p[r.IntN(len(p))] = []byte{0, 1, 0x7f, 0x80, 0xff}[r.IntN(5)]
		}
		return all
	}},
	{"length", func(r *rand.Rand, all [][]byte) [][]byte {
		p := all[r.IntN(len(all))]
		if at := pick(r, lengths(p)); at > 0 {
			n := binary.BigEndian.Uint16(p[at:])
			binary.BigEndian.PutUint16(p[at:], []uint16{n + uint16(r.IntN(9)) - 4, n + 4, n - 4, uint16(r.IntN(64)), 0xffff}[r.IntN(5)])
		}
		return all
	}},
	{"template field length", func(r *rand.Rand, all [][]byte) [][]byte {
		if p, at := specifier(r, all); at > 0 {
			binary.BigEndian.PutUint16(p[at+2:], []uint16{0, 1, 2, 3, 4, 6, 8, 9, 16, 17, 0xffff, uint16(r.Uint32())}[r.IntN(12)])
		}
		return all
	}},
	{"template field", func(r *rand.Rand, all [][]byte) [][]byte {
		if p, at := specifier(r, all); at > 0 {
			binary.BigEndian.PutUint16(p[at:], uint16(r.IntN(360))) // the elements that mean something
		}
		return all
	}},
	{"template field swapped", func(r *rand.Rand, all [][]byte) [][]byte {
		p, one := specifier(r, all)
		q, other := specifier(r, all)
		if one > 0 && other > 0 {
			var was [4]byte
			copy(was[:], p[one:])
			copy(p[one:one+4], q[other:])
			copy(q[other:], was[:])
		}
		return all
	}},
	{"template id", func(r *rand.Rand, all [][]byte) [][]byte {
		// Of two templates the second takes the id of the first: it replaces it.
		p, one := template(r, all)
		q, other := template(r, all)
		if one > 0 && other > 0 {
			copy(q[other:other+2], p[one:])
		}
		return all
	}},
	{"template count", func(r *rand.Rand, all [][]byte) [][]byte {
		if p, at := template(r, all); at > 0 {
			n := binary.BigEndian.Uint16(p[at+2:])
			binary.BigEndian.PutUint16(p[at+2:], []uint16{0, n - 1, n + 1, uint16(r.Uint32())}[r.IntN(4)])
		}
		return all
	}},
	{"order", func(r *rand.Rand, all [][]byte) [][]byte {
		i, j := r.IntN(len(all)), r.IntN(len(all))
		all[i], all[j] = all[j], all[i]
		return all
	}},
	{"twice", func(r *rand.Rand, all [][]byte) [][]byte {
		p := all[r.IntN(len(all))]
		return slices.Insert(all, r.IntN(len(all)+1), slices.Clone(p))
	}},
	{"lost", func(r *rand.Rand, all [][]byte) [][]byte {
		if len(all) > 1 {
			i := r.IntN(len(all))
			all = slices.Delete(all, i, i+1)
		}
		return all
	}},
	{"sets moved", func(r *rand.Rand, all [][]byte) [][]byte {
		// A set of one datagram at the end of another.
		from, to := all[r.IntN(len(all))], r.IntN(len(all))
		if at := pick(r, lengths(from)); at > 2 {
			end := min(len(from), at-2+int(binary.BigEndian.Uint16(from[at:])))
			if end > at {
				all[to] = slices.Concat(all[to], from[at-2:end])
			}
		}
		return all
	}},
	{"padding", func(r *rand.Rand, all [][]byte) [][]byte {
		i := r.IntN(len(all))
		all[i] = append(slices.Clone(all[i]), make([]byte, 1+r.IntN(40))...)
		return all
	}},
	{"header", func(r *rand.Rand, all [][]byte) [][]byte {
		if p := all[r.IntN(len(all))]; len(p) > 20 {
			p[2+r.IntN(18)] = byte(r.Uint32())
		}
		return all
	}},
}

// mutate gives a variant of the datagrams, the same for the same seed: one to three
// mutations, the first by turns.
func mutate(seed uint64, datagrams [][]byte) (name string, variant [][]byte) {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	for _, p := range datagrams {
		variant = append(variant, slices.Clone(p))
	}
	m := mutations[seed%uint64(len(mutations))]
	for range 1 + r.IntN(3) {
		variant = m.apply(r, variant)
		name += m.name + " "
		m = mutations[r.IntN(len(mutations))]
	}
	return name, variant
}

// lengths gives where in a datagram lengths of sets are, or of samples and records of
// sFlow (their lower halves).
func lengths(p []byte) (all []int) {
	header := headerSize(p)
	switch {
	case header == 28:
		// Any word that could be one: those that fit.
		for at := header; at+8 <= len(p); at += 4 {
			if n := binary.BigEndian.Uint32(p[at+4:]); n > 0 && int(n) <= len(p)-at {
				all = append(all, at+6)
			}
		}
	case header > 0:
		for at := header; at+4 <= len(p); {
			all = append(all, at+2)
			at += max(4, int(binary.BigEndian.Uint16(p[at+2:])))
		}
	}
	return all
}

// headerSize is that of NetFlow v9, IPFIX and sFlow; 0 of others.
func headerSize(p []byte) int {
	switch {
	case len(p) < 20:
		return 0
	case startsWith(9)(p):
		return 20
	case startsWith(10)(p):
		return 16
	case startsWith(0)(p):
		return 28
	}
	return 0
}

func pick(r *rand.Rand, all []int) int {
	if len(all) == 0 {
		return 0
	}
	return all[r.IntN(len(all))]
}

// template gives where a template record begins, in a datagram that has one.
func template(r *rand.Rand, all [][]byte) (p []byte, at int) {
	type place struct {
		p  []byte
		at int
	}
	var places []place
	for _, p := range all {
		for _, at := range lengths(p) {
			if id := binary.BigEndian.Uint16(p[at-2:]); id < 4 && headerSize(p) != 28 && at+6 <= len(p) {
				places = append(places, place{p, at + 2})
			}
		}
	}
	if len(places) == 0 {
		return nil, 0
	}
	one := places[r.IntN(len(places))]
	return one.p, one.at
}

// specifier gives where a field specifier of a template is.
func specifier(r *rand.Rand, all [][]byte) (p []byte, at int) {
	p, at = template(r, all)
	if at == 0 {
		return nil, 0
	}
	fields := min(int(binary.BigEndian.Uint16(p[at+2:])), (len(p)-at-4)/4)
	if fields <= 0 {
		return nil, 0
	}
	at += 4 + 4*r.IntN(fields)
	if at+4 > len(p) {
		return nil, 0
	}
	return p, at
}
