package packets_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"tapwatch/internal/packets"
)

// TestSoftflowdToNfcapd runs both: what nfdump reports is what the generator made.
func TestSoftflowdToNfcapd(t *testing.T) {
	if err := packets.Missing("softflowd", "nfcapd", "nfdump"); err != nil {
		t.Fatalf("%v: `make test-tools` installs what the tests need", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	traffic := filepath.Join(t.TempDir(), "traffic.pcap")
	if err := packets.WriteFile(traffic, packets.Defaults()); err != nil {
		t.Fatal(err)
	}
	var started []*packets.Nfcapd
	for range 2 {
		n, err := packets.StartNfcapd(ctx, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		started = append(started, n)
	}
	if err := packets.Softflowd(ctx, traffic, packets.NetFlow9, started[0].Addr, started[1].Addr); err != nil {
		t.Fatal(err)
	}
	// Of 4 sessions of each kind: TCP, refused TCP, UDP and ICMP both ways over
	// IPv4 and IPv6, and GRE both ways.
	const flows = 4*2*4*2 + 4*2
	for _, n := range started {
		report, err := n.Stop(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if report.Flows != flows || report.Packets == 0 || report.Bytes == 0 {
			t.Errorf("nfdump reports %+v, want %d flows", report, flows)
		}
	}
}
