package storage

import (
	"encoding/binary"
	"fmt"
	"slices"

	"tapwatch/flow"
)

// appendBatch appends all records of src to dst, column by column.
func appendBatch(dst, src *flow.Batch) {
	first := dst.Grow(src.Len())
	for i := range flow.Fields {
		f := &flow.Fields[i]
		copyColumn(f.Values(dst), f.Values(src), first)
	}
}

// copyColumn copies the column src into dst from the index first on.
func copyColumn(dst, src any, first int) {
	switch dst := dst.(type) {
	case []bool:
		copy(dst[first:], src.([]bool))
	case []int8:
		copy(dst[first:], src.([]int8))
	case []uint8:
		copy(dst[first:], src.([]uint8))
	case []uint16:
		copy(dst[first:], src.([]uint16))
	case []uint32:
		copy(dst[first:], src.([]uint32))
	case []uint64:
		copy(dst[first:], src.([]uint64))
	case []int64:
		copy(dst[first:], src.([]int64))
	case []string:
		copy(dst[first:], src.([]string))
	case [][16]byte:
		copy(dst[first:], src.([][16]byte))
	default:
		// A new kind of column: the test over flow.Fields meets this first.
		panic(fmt.Sprintf("storage: a flow column of type %T has no case in copyColumn", dst))
	}
}

// batchBytes is how much the values of the batch take, uncompressed.
func batchBytes(b *flow.Batch) (bytes int) {
	for i := range flow.Fields {
		if texts, ok := flow.Fields[i].Values(b).([]string); ok {
			for _, text := range texts {
				bytes += len(text)
			}
			continue
		}
		bytes += b.Len() * binary.Size(flow.Fields[i].Value(b, 0))
	}
	return bytes
}

// oldestReceived is the least received_at of the batch, which has records.
func oldestReceived(b *flow.Batch) int64 { return slices.Min(b.ReceivedAt) }
