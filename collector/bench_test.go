package collector_test

import (
	"path/filepath"
	"testing"

	"tapwatch/collector"
	"tapwatch/flow"
)

// BenchmarkDatagram decodes the fixtures, one exporter's export after another.
func BenchmarkDatagram(b *testing.B) {
	for _, name := range []string{"softflowd-netflow5", "softflowd-netflow9", "softflowd-ipfix", "pmacctd-sflow5"} {
		b.Run(name, func(b *testing.B) {
			all := datagrams(b, filepath.Join(fixtures, name+".pcap"))
			d := collector.NewDecoder(collector.DefaultConfig(), protocols, nil)
			var batch flow.Batch
			records := 0
			for b.Loop() {
				batch.Reset()
				for _, g := range all {
					d.Datagram(&batch, g.From, g.Time, g.Payload)
				}
				records += batch.Len()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}
