package native

import (
	"encoding/binary"
	"iter"
	"math"
	"unsafe"
)

// The wire form of LowCardinality(String), all little-endian (ClickHouse:
// SerializationLowCardinality.cpp): version, then for the block what follows: flags and the
// width of an index, the dictionary's length, its strings, the number of records and
// an index for each.
const (
	lowVersion       = 1      // sharedDictionariesWithAdditionalKeys
	lowAdditional    = 1 << 9 // the block brings its dictionary
	lowUpdate        = 1 << 10
	lowFlags         = lowAdditional | lowUpdate
	lowHead          = 3 * 8 // version, flags, length of the dictionary
	lowWidth8        = 0     // UInt8
	lowWidth16       = 1
	lowWidth32       = 2
	lowCardinalities = "LowCardinality(String)"
)

// dictionary encodes a column of strings of which few are distinct. Its first entry is
// the empty string.
type dictionary struct {
	head    []byte // up to the indexes
	indexes map[string]uint32
	count   uint32
	keys    []uint32 // memory for the indexes, of whatever width
}

// encode gives the wire form of values, or that all are empty. It is good until the
// next call.
func (d *dictionary) encode(values []string, r *recent) (head, body []byte, empty bool) {
	clear(r[:])
	defer clear(d.indexes) // it refers to the batch's strings
	d.head = append(d.head[:0], make([]byte, lowHead)...)
	d.head = append(d.head, 0) // the empty string
	d.count = 1
	if cap(d.keys) < len(values) {
		d.keys = make([]uint32, len(values))
	}
	width, body := d.fill(values, r)
	if d.count == 1 {
		return nil, nil, true
	}
	binary.LittleEndian.PutUint64(d.head, lowVersion)
	binary.LittleEndian.PutUint64(d.head[8:], lowFlags|width)
	binary.LittleEndian.PutUint64(d.head[16:], uint64(d.count))
	d.head = binary.LittleEndian.AppendUint64(d.head, uint64(len(values)))
	return d.head, body, false
}

// fill writes the indexes in the least width that holds them: it begins with bytes and
// widens what it has written where the dictionary outgrows them.
func (d *dictionary) fill(values []string, r *recent) (width uint64, body []byte) {
	n := len(values)
	memory := unsafe.Pointer(unsafe.SliceData(d.keys))
	k8 := unsafe.Slice((*uint8)(memory), n)
	at := fill(d, r, values, k8, 0, math.MaxUint8)
	if at == n {
		return lowWidth8, k8
	}
	k16 := unsafe.Slice((*uint16)(memory), n)
	for i := at - 1; i >= 0; i-- {
		k16[i] = uint16(k8[i])
	}
	at = fill(d, r, values, k16, at, math.MaxUint16)
	if at == n {
		return lowWidth16, unsafe.Slice((*byte)(memory), 2*n)
	}
	k32 := d.keys[:n]
	for i := at - 1; i >= 0; i-- {
		k32[i] = uint32(k16[i])
	}
	fill(d, r, values, k32, at, math.MaxUint32)
	return lowWidth32, unsafe.Slice((*byte)(memory), 4*n)
}

// fill writes the indexes of values from index from on into keys, until one is beyond
// limit. It returns how far it came.
func fill[K uint8 | uint16 | uint32](d *dictionary, r *recent, values []string, keys []K, from int, limit uint32) int {
	var last string // of the row before, with its index
	var key K
	keys = keys[:len(values)]
	for i := from; i < len(values); i++ {
		v := values[i]
		if len(v) == 0 {
			keys[i] = 0
			continue
		}
		if unsafe.StringData(v) != unsafe.StringData(last) || len(v) != len(last) {
			index := d.lookup(v, r)
			if index > limit {
				return i
			}
			last, key = v, K(index)
		}
		keys[i] = key
	}
	return len(values)
}

// lookup gives the index of v, which is not empty, and adds it if it is new.
func (d *dictionary) lookup(v string, r *recent) uint32 {
	at, same := r.slot(v)
	if same {
		return at.index
	}
	index, known := d.indexes[v]
	if !known {
		index = d.count
		d.count++
		d.indexes[v] = index
		d.head = appendText(d.head, v)
	}
	*at = seen{uintptr(unsafe.Pointer(unsafe.StringData(v))), uint32(len(v)), index}
	return index
}

// recent finds strings that were seen by where they are, without looking at what they
// say: a slot keeps the latest that fell into it. The strings belong to a batch that
// stays as it is meanwhile.
type recent [recentSlots]seen

const (
	recentBits  = 11
	recentSlots = 1 << recentBits
)

type seen struct {
	data   uintptr
	length uint32
	index  uint32
}

// slot is where v is if it was seen, and whether it is there.
func (r *recent) slot(v string) (at *seen, same bool) {
	data := uintptr(unsafe.Pointer(unsafe.StringData(v)))
	at = &r[uint64(data)*0x9e3779b97f4a7c15>>(64-recentBits)]
	return at, at.data == data && at.length == uint32(len(v))
}

// entries are those of the dictionary of a column that Read has checked, or Encode made.
func (c *column) entries() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		rest := c.head[lowHead:]
		for range binary.LittleEndian.Uint64(c.head[16:]) {
			n, k := binary.Uvarint(rest)
			if !yield(rest[k : k+int(n)]) {
				return
			}
			rest = rest[k+int(n):]
		}
	}
}

// pick gives each value what the column's index for it says of entries.
func pick[T any](values []T, c *column, entries []T) {
	switch binary.LittleEndian.Uint64(c.head[8:]) &^ lowFlags {
	case lowWidth8:
		for i, k := range c.body {
			values[i] = entries[k]
		}
	case lowWidth16:
		for i := range values {
			values[i] = entries[binary.LittleEndian.Uint16(c.body[2*i:])]
		}
	default:
		for i := range values {
			values[i] = entries[binary.LittleEndian.Uint32(c.body[4*i:])]
		}
	}
}
