package netflow

import (
	"encoding/binary"
	"math"

	"tapwatch/flow"
)

// rows are the records that a set adds to a batch: n of them, from the row first on.
type rows struct {
	b        *flow.Batch
	first, n int
	message  *message
	domain   *domain
	// samplers has what the records name as theirs, one a row; scratch space.
	samplers []uint64
}

// filler reads one field of all rows: the first row's field begins at data, those of
// the others lie stride bytes apart. length is that of the field on the wire.
type filler func(r *rows, data []byte, stride, length int)

// fillers are the ways to read an element. any reads a field of whatever length
// (reduced-size encoding, RFC 7011 §6.2; odd lengths that exporters make up); the
// others, where there are any, are faster for what is common.
type fillers struct {
	any filler
	// one, four and eight are for fields of so many bytes.
	one, four, eight filler
	// plain is the column of an element whose numbers go there as they are.
	plain plainColumn
}

// of picks the filler of a length.
func (f *fillers) of(length uint16) filler {
	switch {
	case length == 1 && f.one != nil:
		return f.one
	case length == 4 && f.four != nil:
		return f.four
	case length == 8 && f.eight != nil:
		return f.eight
	}
	return f.any
}

// unsigned are the types of columns that hold numbers.
type unsigned interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

// column gives the fillers that put a number into a column.
func column[T unsigned](at func(*flow.Batch) *[]T) fillers {
	return fillers{
		plain: plainOf(at),
		any: func(r *rows, data []byte, stride, length int) {
			to := (*at(r.b))[r.first:][:r.n]
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = T(number(data[p : p+length]))
			}
		},
	}
}

// each gives the fillers that hand the number of each row to put. It is for what is
// rare, or more than a number.
func each(put func(r *rows, row int, v uint64)) fillers {
	return fillers{any: func(r *rows, data []byte, stride, length int) {
		for i, p := 0, 0; i < r.n; i, p = i+1, p+stride {
			put(r, r.first+i, number(data[p:p+length]))
		}
	}}
}

// either is column for elements of which a template may hold two, where the one that
// does not apply is zero: what is not zero stays.
func either[T unsigned](at func(*flow.Batch) *[]T) fillers {
	return fillers{
		one: func(r *rows, data []byte, stride, _ int) {
			to := (*at(r.b))[r.first:][:r.n]
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				if v := data[p]; v != 0 {
					to[i] = T(v)
				}
			}
		},
		any: func(r *rows, data []byte, stride, length int) {
			to := (*at(r.b))[r.first:][:r.n]
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				if v := number(data[p : p+length]); v != 0 {
					to[i] = T(v)
				}
			}
		},
	}
}

// address4 takes IPv4 addresses. Templates that carry both families fill the one that
// does not apply with zeros, or with the addresses within a tunnel: what they replace
// is nothing but zeros.
func address4(at func(*flow.Batch) *[][16]byte) fillers {
	return fillers{
		plain: plainOf(at),
		any: func(r *rows, data []byte, stride, length int) {
			if length > 4 {
				return
			}
			to := (*at(r.b))[r.first:][:r.n]
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				var a [4]byte // prefixes may come shortened, their tail cut off
				copy(a[:], data[p:p+length])
				if to[i] == ([16]byte{}) {
					to[i] = flow.From4(a)
				}
			}
		},
	}
}

// none4 is 0.0.0.0 in a column.
var none4 = flow.From4([4]byte{})

// address6 takes IPv6 addresses, under the same rule.
func address6(at func(*flow.Batch) *[][16]byte) fillers {
	return fillers{any: func(r *rows, data []byte, stride, length int) {
		if length > 16 {
			return
		}
		to := (*at(r.b))[r.first:][:r.n]
		for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
			var a [16]byte
			copy(a[:], data[p:p+length])
			if a != ([16]byte{}) && (to[i] == ([16]byte{}) || to[i] == none4) {
				to[i] = a
			}
		}
	}}
}

// vlan masks off priority and drop bits, which some exporters leave in.
func vlan(at func(*flow.Batch) *[]uint16) fillers {
	return each(func(r *rows, row int, v uint64) { (*at(r.b))[row] = uint16(v) & 0x0fff })
}

// label takes an entry of an MPLS label stack (RFC 3032 §2.1) without its time to
// live, as the elements 70 to 79 have it: 20 bits of label, then 4 others. Exporters
// are known that send the label in 4 bytes, with the time to live.
func label(at func(*flow.Batch) *[]uint32) fillers {
	return fillers{any: func(r *rows, data []byte, stride, length int) {
		shift := 4
		if length == 4 {
			shift = 12
		}
		for i, p := 0, 0; i < r.n; i, p = i+1, p+stride {
			(*at(r.b))[r.first+i] = uint32(number(data[p:p+length])>>shift) & 0xfffff
		}
	}}
}

func icmpTypeCode(r *rows, row int, v uint64) {
	if uint16(v) != 0 {
		r.b.ICMPType[row], r.b.ICMPCode[row] = uint8(v>>8), uint8(v)
	}
}

// direction maps element 61 (0 ingress, 1 egress) to the values of flow.
var direction = fillers{
	one: func(r *rows, data []byte, stride, _ int) {
		to := r.b.Direction[r.first:][:r.n]
		for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
			to[i] = directionOf(uint64(data[p]))
		}
	},
	any: each(func(r *rows, row int, v uint64) { r.b.Direction[row] = directionOf(v) }).any,
}

func directionOf(v uint64) int8 {
	switch v {
	case 0:
		return flow.DirectionIngress
	case 1:
		return flow.DirectionEgress
	}
	return flow.DirectionUnknown
}

// randomInterval takes element 50, which counts where element 34 says nothing.
func randomInterval(r *rows, row int, v uint64) {
	if r.b.SamplingInterval[row] == 0 {
		r.b.SamplingInterval[row] = uint32(v)
	}
}

// nameSampler notes the sampler of each row, for settle to look up.
func nameSampler(r *rows, row int, v uint64) { r.samplers[row-r.first] = v }

// number reads an unsigned integer of any length; of more than 8 bytes the last 8.
func number(v []byte) uint64 {
	if len(v) > 8 {
		v = v[len(v)-8:]
	}
	switch len(v) {
	case 1:
		return uint64(v[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(v))
	case 4:
		return uint64(binary.BigEndian.Uint32(v))
	case 8:
		return binary.BigEndian.Uint64(v)
	}
	var n uint64
	for _, c := range v {
		n = n<<8 | uint64(c)
	}
	return n
}

// float reads float64 or float32 (RFC 7011 §6.1.3).
func float(v []byte) float64 {
	switch len(v) {
	case 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(v)))
	case 8:
		return math.Float64frombits(binary.BigEndian.Uint64(v))
	}
	return 0
}
