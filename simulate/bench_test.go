package simulate_test

import (
	"context"
	"io"
	"testing"
	"time"

	"tapwatch/simulate"
)

// BenchmarkRecords is the cost of one record, the two minutes looked back included.
func BenchmarkRecords(b *testing.B) {
	n := network(b, 20, func(c *simulate.Config) { c.Rate = 1000 })
	b.ReportAllocs()
	count := 0
	for b.Loop() {
		for range n.Records(start(20), start(20).Add(4*time.Minute)) {
			count++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(count), "ns/record")
}

// BenchmarkWritePcap is the cost of one record, encoded and framed.
func BenchmarkWritePcap(b *testing.B) {
	n := network(b, 20, func(c *simulate.Config) { c.Rate = 1000 })
	b.ReportAllocs()
	records := uint64(0)
	for b.Loop() {
		stats, err := n.WritePcap(context.Background(), io.Discard, collector, 4*time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		records += stats.Records
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
}
