package export_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/simulate/export"
	"tapwatch/simulate/export/exporttest"
)

// TestResample holds that a changed interval is told by the first datagram after the
// change, and not by the one before.
func TestResample(t *testing.T) {
	const boot, start = 1_700_000_000_000, 1_700_000_100_000
	for _, protocol := range []int8{flow.ExportNetFlow5, flow.ExportNetFlow9, flow.ExportIPFIX, flow.ExportSFlow5} {
		e, err := export.New(export.Options{
			Protocol: protocol, Agent: netip.MustParseAddr("127.1.0.1"), AS: 64500, Sampling: 100, Boot: boot,
			MaxDatagram: 1400, RefreshInterval: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		decoder := exporttest.Decoder{Boot: boot}
		var told []uint32
		emit := func(datagram []byte) error {
			d, err := decoder.Decode(datagram)
			told = append(told, d.Sampling)
			return err
		}
		record := export.Record{
			ExportedAt: start, StartAt: start - 50, EndAt: start, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"),
			Protocol: 17, SrcPort: 1000, DstPort: 53, Bytes: 80, Packets: 1, InIf: 1, OutIf: 2, Direction: uint8(flow.DirectionIngress),
		}
		for _, interval := range []uint32{100, 2000} {
			if err := e.Resample(interval); err != nil {
				t.Fatal(err)
			}
			if err := e.Add(&record, emit); err != nil {
				t.Fatal(err)
			}
			record.ExportedAt++
			if err := e.Flush(record.ExportedAt, emit); err != nil {
				t.Fatal(err)
			}
		}
		if len(told) < 2 || told[0] != 100 || told[len(told)-1] != 2000 {
			t.Errorf("%s: told %d", "protocol "+fmt.Sprint(protocol), told)
		}
		if err := e.Resample(0); err == nil {
			t.Errorf("%s: sampling one of 0 packets is taken", "protocol "+fmt.Sprint(protocol))
		}
		if err := e.Resample(1 << 20); (err == nil) == (protocol == flow.ExportNetFlow5) {
			t.Errorf("%s: one of %d packets: %v", "protocol "+fmt.Sprint(protocol), 1<<20, err)
		}
	}
}
