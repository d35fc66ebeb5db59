package sflow

import (
	"encoding/binary"

	"tapwatch/flow"
)

// words reads XDR (RFC 4506): everything is a multiple of four bytes. After the
// first value that is not there, all are zero and bad is set.
type words struct {
	data []byte
	bad  bool
}

func (r *words) uint32() uint32 {
	if len(r.data) < 4 {
		r.fail()
		return 0
	}
	v := binary.BigEndian.Uint32(r.data)
	r.data = r.data[4:]
	return v
}

// address reads an address: its type and its bytes. One of unknown type has none,
// and is all zero.
func (r *words) address() [16]byte {
	const unknown, v4, v6 = 0, 1, 2
	switch r.uint32() {
	case unknown:
		return [16]byte{}
	case v4:
		return r.ipv4()
	case v6:
		return r.ipv6()
	}
	r.fail()
	return [16]byte{}
}

func (r *words) ipv4() [16]byte {
	if len(r.data) < 4 {
		r.fail()
		return [16]byte{}
	}
	a := flow.From4([4]byte(r.data))
	r.data = r.data[4:]
	return a
}

func (r *words) ipv6() [16]byte {
	if len(r.data) < 16 {
		r.fail()
		return [16]byte{}
	}
	a := [16]byte(r.data)
	r.data = r.data[16:]
	return a
}

// list reads the number of words in an array, and gives the array.
func (r *words) list() words {
	n := uint64(r.uint32())
	if n > uint64(len(r.data))/4 {
		r.fail()
		return words{}
	}
	all := words{data: r.data[:4*n]}
	r.data = r.data[4*n:]
	return all
}

func (r *words) len() int { return len(r.data) / 4 }

func (r *words) fail() { r.data, r.bad = nil, true }
