// Command record remakes test/fixtures: what real exporters send when they read
// traffic of the project's own, and what nfdump counts in it. It needs Debian's
// softflowd, pmacct, nfdump and tshark.
//
//	go run ./internal/packets/record
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"tapwatch/internal/packets"
)

// fixture is one export to record.
type fixture struct {
	name   string
	export func(ctx context.Context, pcap string, to netip.AddrPort) error
	report func(ctx context.Context, r *recording) (packets.Report, error)
}

func softflowd(version string) func(context.Context, string, netip.AddrPort) error {
	return func(ctx context.Context, pcap string, to netip.AddrPort) error {
		return packets.Softflowd(ctx, pcap, version, to)
	}
}

func pmacctd(plugin, version string) func(context.Context, string, netip.AddrPort) error {
	return func(ctx context.Context, pcap string, to netip.AddrPort) error {
		return packets.Pmacctd(ctx, pcap, plugin, version, to)
	}
}

var fixtures = []fixture{
	{"softflowd-netflow5", softflowd(packets.NetFlow5), nfdump},
	{"softflowd-netflow9", softflowd(packets.NetFlow9), nfdump},
	{"softflowd-ipfix", softflowd(packets.IPFIX), nfdump},
	{"pmacctd-netflow9", pmacctd("nfprobe", packets.NetFlow9), nfdump},
	{"pmacctd-ipfix", pmacctd("nfprobe", packets.IPFIX), nfdump},
	{"pmacctd-sflow5", pmacctd("sfprobe", ""), tshark},
}

func main() {
	out := flag.String("out", "test/fixtures", "folder to write to")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := record(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// record makes every fixture anew.
func record(ctx context.Context, out string) error {
	if err := packets.Missing("softflowd", "pmacctd", "nfcapd", "nfdump", "tshark"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	traffic := filepath.Join(dir, "traffic.pcap")
	if err := packets.WriteFile(traffic, packets.Defaults()); err != nil {
		return err
	}
	reports := make(map[string]packets.Report)
	for _, f := range fixtures {
		path := filepath.Join(out, f.name+".pcap")
		report, err := f.record(ctx, traffic, path)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		reports[filepath.Base(path)] = report
		fmt.Printf("%s: %d flows, %d bytes, %d packets\n", path, report.Flows, report.Bytes, report.Packets)
	}
	data, err := json.MarshalIndent(reports, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "expected.json"), append(data, '\n'), 0o644)
}

func (f *fixture) record(ctx context.Context, traffic, path string) (packets.Report, error) {
	r, err := startRecording()
	if err != nil {
		return packets.Report{}, err
	}
	defer r.close()
	if err := f.export(ctx, traffic, r.addr); err != nil {
		return packets.Report{}, err
	}
	if err := r.finish(path); err != nil {
		return packets.Report{}, err
	}
	return f.report(ctx, r)
}
