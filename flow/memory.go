package flow

import (
	"slices"
	"unsafe"
)

// The memory of a Batch. A datagram holds few records, and a Batch has many columns:
// to grow and clear each of them for every datagram would cost more than to decode
// it. So columns are reserved and cleared a chunk ahead, and Grow itself only sets
// their lengths.

// chunk is how many records ahead of use the memory is cleared.
const chunk = 256

// anyColumn is the head of every column, whatever its elements: a slice as the
// runtime lays it out. A test holds that Fields covers every column, and so that
// offsets does.
type anyColumn struct {
	data             unsafe.Pointer
	length, capacity int
}

// offsets are where the columns are in a Batch.
var offsets = func() []uintptr {
	all := make([]uintptr, len(Fields))
	for i := range Fields {
		all[i] = Fields[i].offset
	}
	return all
}()

// memory are the operations on the memory of one column.
type memory struct {
	offset uintptr
	// reserve makes room for n records in all and gives the capacity.
	reserve func(b *Batch, n int) int
	// clear zeroes the memory of the records from index from to to, which may be
	// beyond the column's length.
	clear func(b *Batch, from, to int)
	// copy copies n records of src over those of dst.
	copy func(dst *Batch, to int, src *Batch, from, n int)
	// complete copies one where that of dst is zero.
	complete func(dst *Batch, to int, src *Batch, from int)
}

func memoryOf[T comparable](at func(*Batch) *[]T) memory {
	var b Batch
	return memory{
		offset: uintptr(unsafe.Pointer(at(&b))) - uintptr(unsafe.Pointer(&b)),
		reserve: func(b *Batch, n int) int {
			s := at(b)
			*s = slices.Grow(*s, n-len(*s))
			return cap(*s)
		},
		clear: func(b *Batch, from, to int) { clear((*at(b))[:to][from:]) },
		copy: func(dst *Batch, to int, src *Batch, from, n int) {
			copy((*at(dst))[to:to+n], (*at(src))[from:from+n])
		},
		complete: func(dst *Batch, to int, src *Batch, from int) {
			var zero T
			if v := &(*at(dst))[to]; *v == zero {
				*v = (*at(src))[from]
			}
		},
	}
}

// Grow appends n records whose columns are all zero and returns the index of the
// first. The caller fills them in place.
func (b *Batch) Grow(n int) int {
	first := b.n
	if first+n > b.clean {
		b.reserve(first + n)
	}
	b.setLen(first + n)
	return first
}

// reserve makes room for n records in all and clears what is beyond those of now.
func (b *Batch) reserve(n int) {
	to := n + chunk
	for i := range Fields {
		to = min(to, Fields[i].reserve(b, n))
	}
	for i := range Fields {
		Fields[i].clear(b, b.n, to)
	}
	b.clean = to
}

// setLen gives the batch and every column its length.
func (b *Batch) setLen(n int) {
	b.n = n
	for _, offset := range offsets {
		(*anyColumn)(unsafe.Add(unsafe.Pointer(b), offset)).length = n
	}
}

// Truncate drops all records from index n on.
func (b *Batch) Truncate(n int) {
	if few := chunk / 16; b.n-n <= few {
		// To clear them now saves clearing a whole chunk when the batch grows again.
		for i := range Fields {
			Fields[i].clear(b, n, b.n)
		}
	} else {
		b.clean = n
	}
	b.setLen(n)
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.clean = 0
	b.setLen(0)
}

// AppendFrom appends the record at index row of src.
func (b *Batch) AppendFrom(src *Batch, row int) { b.append(src, row, 1) }

// Append appends all records of src.
func (b *Batch) Append(src *Batch) { b.append(src, 0, src.n) }

// AppendRange appends n records of src from index from on.
func (b *Batch) AppendRange(src *Batch, from, n int) { b.append(src, from, n) }

func (b *Batch) append(src *Batch, from, n int) {
	to := b.Grow(n)
	for i := range Fields {
		Fields[i].copy(b, to, src, from, n)
	}
}

// Complete takes those columns of the record at index from of src that are zero in the
// record at index row.
func (b *Batch) Complete(row int, src *Batch, from int) {
	for i := range Fields {
		Fields[i].complete(b, row, src, from)
	}
}
