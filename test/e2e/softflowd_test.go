package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"tapwatch/internal/packets"
	"tapwatch/internal/testkit"
)

// TestSoftflowdBesideNfdump has a real exporter send the same flows to tapwatch and
// to nfcapd, side by side: what ClickHouse counts is what nfdump reports.
func TestSoftflowdBesideNfdump(t *testing.T) {
	if err := packets.Missing("softflowd", "nfcapd", "nfdump"); err != nil {
		t.Fatalf("%v: `make test-tools` installs what the tests need", err)
	}
	capture := filepath.Join(t.TempDir(), "traffic.pcap")
	if err := packets.WriteFile(capture, packets.Defaults()); err != nil {
		t.Fatal(err)
	}
	cfg := configuration(t)
	tapwatch := start(t, cfg)
	store := testkit.Open(t, cfg.Storage.ClickHouse.WriterEndpoint())
	want := map[string]packets.Report{}
	for name, version := range map[string]string{"netflow5": packets.NetFlow5, "netflow9": packets.NetFlow9, "ipfix": packets.IPFIX} {
		nfcapd, err := packets.StartNfcapd(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := packets.Softflowd(t.Context(), capture, version, tapwatch.Collector[0], nfcapd.Addr); err != nil {
			t.Fatal(err)
		}
		if want[name], err = nfcapd.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := tapwatch.stop(); err != nil { // which stores what was received
		t.Fatal(err)
	}
	for name, report := range want {
		if report.Flows == 0 {
			t.Errorf("%s: nfdump reports no flows: nothing was compared", name)
		}
		got := sumFlows(t, store, fmt.Sprintf("export_protocol = '%s'", name))
		if got != (totals{report.Flows, report.Bytes, report.Packets}) {
			t.Errorf("%s: tapwatch has %+v, nfdump reports %+v", name, got, report)
		}
		t.Logf("%s: tapwatch has %+v, nfdump reports %+v", name, got, report)
	}
}
