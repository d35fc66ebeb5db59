package sflow_test

import (
	"testing"

	"tapwatch/collector"
	"tapwatch/flow"
)

// FuzzDecode gives one session datagram after datagram. Whatever they are, what is
// read must make sense.
func FuzzDecode(f *testing.F) {
	for _, path := range exports(f) {
		for _, payload := range payloads(f, path) {
			f.Add(payload)
		}
	}
	f.Add(datagram(everyRecord()))
	f.Add(routerDatagram())
	d := newDecoder()
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > 1<<16-1 {
			t.Skip("longer than a UDP datagram can be")
		}
		d.batch.Truncate(0)
		d.tally = collector.Tally{}
		d.decode(payload)
		b := &d.batch
		if b.Len() > collector.MaxRecords || b.Len() > len(payload)/40 {
			t.Errorf("%d records of %d bytes", b.Len(), len(payload))
		}
		for i := range b.Len() {
			if b.Packets[i] != 1 || b.ExportProtocol[i] != flow.ExportSFlow5 || b.Bytes[i] > 1<<32-1 {
				t.Errorf("record %d is not complete: %s", i, b.Row(i))
			}
			if b.SrcVLAN[i] >= 1<<12 || b.DstVLAN[i] >= 1<<12 || b.MPLSLabel1[i]|b.MPLSLabel2[i]|b.MPLSLabel3[i] >= 1<<20 {
				t.Errorf("record %d: VLANs %d and %d, label %d", i, b.SrcVLAN[i], b.DstVLAN[i], b.MPLSLabel1[i])
			}
		}
	})
}
