package netflow

import (
	"encoding/binary"
	"unsafe"

	"tapwatch/flow"
)

// Most fields of most templates are plain: the number on the wire is what the column
// holds. They are read here without calling a filler: for the small sets that many
// routers send, the calls would cost as much as all the rest.

// plainKind is what the column of a plain field holds, and how long the field is.
type plainKind uint8

const (
	notPlain plainKind = iota
	plain1to8
	plain1to16
	plain2to16
	plain2to32
	plain4to32
	plain4to64
	plain8to64
	plainAddress4
)

// plainColumn is a column of plain numbers: the size of its elements, and where its
// slice lies in a flow.Batch. The zero plainColumn is none.
type plainColumn struct {
	offset uint32
	size   uint8
}

func plainOf[T unsigned | [16]byte](at func(*flow.Batch) *[]T) plainColumn {
	var b flow.Batch
	var element T
	return plainColumn{
		offset: uint32(uintptr(unsafe.Pointer(at(&b))) - uintptr(unsafe.Pointer(&b))),
		size:   uint8(unsafe.Sizeof(element)),
	}
}

// kind is that of a field of the given length in this column.
func (c plainColumn) kind(length uint16) plainKind {
	switch [2]uint16{length, uint16(c.size)} {
	case [2]uint16{1, 1}:
		return plain1to8
	case [2]uint16{1, 2}:
		return plain1to16
	case [2]uint16{2, 2}:
		return plain2to16
	case [2]uint16{2, 4}:
		return plain2to32
	case [2]uint16{4, 4}:
		return plain4to32
	case [2]uint16{4, 8}:
		return plain4to64
	case [2]uint16{8, 8}:
		return plain8to64
	case [2]uint16{4, 16}:
		return plainAddress4
	}
	return notPlain
}

// rowsOf are the rows of r in the column that lies there.
func rowsOf[T any](r *rows, offset uint32) []T {
	column := *(*[]T)(unsafe.Add(unsafe.Pointer(r.b), offset))
	return column[r.first:][:r.n]
}

// fillColumns reads the fields of all rows, as the steps' fillers would.
func (r *rows) fillColumns(steps []step, data []byte, stride int) {
	for i := range steps {
		s := &steps[i]
		data := data[s.offset:]
		switch s.kind {
		case plain1to8:
			to := rowsOf[uint8](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = data[p]
			}
		case plain1to16:
			to := rowsOf[uint16](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = uint16(data[p])
			}
		case plain2to16:
			to := rowsOf[uint16](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = binary.BigEndian.Uint16(data[p:])
			}
		case plain2to32:
			to := rowsOf[uint32](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = uint32(binary.BigEndian.Uint16(data[p:]))
			}
		case plain4to32:
			to := rowsOf[uint32](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = binary.BigEndian.Uint32(data[p:])
			}
		case plain4to64:
			to := rowsOf[uint64](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = uint64(binary.BigEndian.Uint32(data[p:]))
			}
		case plain8to64:
			to := rowsOf[uint64](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				to[i] = binary.BigEndian.Uint64(data[p:])
			}
		case plainAddress4:
			to := rowsOf[[16]byte](r, s.column)
			for i, p := 0, 0; i < len(to); i, p = i+1, p+stride {
				if a := &to[i]; *a == ([16]byte{}) {
					a[10], a[11] = 0xff, 0xff
					copy(a[12:], data[p:p+4])
				}
			}
		default:
			s.fill(r, data, stride, int(s.length))
		}
	}
}
