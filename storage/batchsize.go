package storage

import (
	"encoding/binary"
	"slices"

	"tapwatch/flow"
)

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
