package storage_test

import (
	"crypto/rand"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// BenchmarkInsert is one insert of 50 000 records, all columns filled, half of them
// watched, into the embedded engine on the same machine.
func BenchmarkInsert(b *testing.B) {
	s := testkit.Store(b)
	batch := someFlows(50_000, testTime)
	for b.Loop() {
		if err := storage.InsertBatch(b.Context(), s, batch, rand.Text()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch.Len())/b.Elapsed().Seconds(), "records/s")
}
