package collector_test

import (
	"encoding/binary"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
	"tapwatch/internal/captures"
)

// fuzz gives a Decoder datagrams of one protocol, two in a row so that a template
// can meet data, and checks what must hold whatever they are.
func fuzz(f *testing.F, version func(payload []byte) bool) {
	for _, payload := range seeds(f) {
		if version(payload) {
			f.Add(payload, payload)
		}
	}
	from := netip.MustParseAddrPort("192.0.2.1:50000")
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		const most = 1<<16 - 1
		if len(first) > most || len(second) > most {
			t.Skip("longer than a UDP datagram can be")
		}
		d := collector.NewDecoder(collector.DefaultConfig(), protocols, nil)
		var b flow.Batch
		began := time.Now()
		d.Datagram(&b, from, at, first)
		d.Datagram(&b, from, at, second)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
		total := d.Total()
		if total.Records != uint64(b.Len()) || total.Datagrams != 2 {
			t.Errorf("%d records, %d counted", b.Len(), total.Records)
		}
		// Each record of a biflow is two.
		if b.Len() > 2*2*collector.MaxRecords {
			t.Errorf("%d records of two datagrams", b.Len())
		}
		for i := range b.Len() {
			if b.ReceivedAt[i] != at.UnixMilli() || b.ExportProtocol[i] == flow.ExportUnknown {
				t.Errorf("record %d is not complete", i)
			}
		}
	})
}

// seeds are the datagrams of the fixtures and of the shared captures.
func seeds(f *testing.F) [][]byte {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.pcap"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, c := range captures.Index(f) {
		files = append(files, c.Path)
	}
	const each = 12 // datagrams of one capture are much alike
	var all [][]byte
	for _, file := range files {
		some := datagrams(f, file)
		for _, g := range some[:min(each, len(some))] {
			all = append(all, g.Payload)
		}
	}
	return all
}

func startsWith(version uint16) func([]byte) bool {
	return func(p []byte) bool { return len(p) > 2 && binary.BigEndian.Uint16(p) == version }
}

func FuzzNetFlow5(f *testing.F) { fuzz(f, startsWith(5)) }
func FuzzNetFlow9(f *testing.F) { fuzz(f, startsWith(9)) }
func FuzzIPFIX(f *testing.F)    { fuzz(f, startsWith(10)) }
func FuzzSFlow5(f *testing.F) {
	fuzz(f, func(p []byte) bool { return strings.HasPrefix(string(p), "\x00\x00\x00\x05") })
}
