package native

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"tapwatch/flow"
)

// The two times of a flow are stored as what they are apart: from the last packet to
// received_at, and from the first packet to the last. That takes half the room, for
// neighbours in a table have other times, but like timeouts. The tables have start_at
// and end_at as aliases that are computed from them.
const (
	delayColumn    = "export_delay_ms"
	durationColumn = "duration_ms"
	timesType      = "Int64"
)

// UnknownTime stands for a time that the exporter has not told.
const UnknownTime = math.MinInt64

// apart are the columns start_at and end_at of flow.Fields, in stored form.
type apart struct{ delays, durations []int64 }

// encode gives the stored form of the batch's times, good until the next call.
func (a *apart) encode(b *flow.Batch) (delay, duration column) {
	a.delays = slices.Grow(a.delays[:0], b.Len())[:b.Len()]
	a.durations = slices.Grow(a.durations[:0], b.Len())[:b.Len()]
	received, starts, ends := b.ReceivedAt[:b.Len()], b.StartAt[:b.Len()], b.EndAt[:b.Len()]
	for i, end := range ends {
		a.delays[i], a.durations[i] = UnknownTime, UnknownTime
		if end != 0 {
			a.delays[i] = received[i] - end
		} else {
			end = received[i]
		}
		if starts[i] != 0 {
			a.durations[i] = end - starts[i]
		}
	}
	return column{name: delayColumn, typ: timesType, body: memoryOf(a.delays)},
		column{name: durationColumn, typ: timesType, body: memoryOf(a.durations)}
}

func memoryOf(values []int64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 8*len(values))
}

// decodeTimes sets the times of the batch's records from index from on; nil stands for
// a column of zeros. received_at is set already.
func decodeTimes(b *flow.Batch, from int, delays, durations []byte) {
	at := func(column []byte, i int) int64 {
		if column == nil {
			return 0
		}
		return int64(binary.LittleEndian.Uint64(column[8*i:]))
	}
	for i := range b.Len() - from {
		row := from + i
		end := b.ReceivedAt[row]
		if delay := at(delays, i); delay != UnknownTime {
			end -= delay
			b.EndAt[row] = end
		}
		if duration := at(durations, i); duration != UnknownTime {
			b.StartAt[row] = end - duration
		}
	}
}
