// Command record remakes test/fixtures: what real exporters send when they read
// traffic of the project's own, and what nfdump counts in it. It needs Debian's
// softflowd, pmacct, fprobe, openvswitch-switch, nfdump and tshark, and root for
// fprobe.
//
//	go run ./internal/packets/record
//	go run ./internal/packets/record -only ovs
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tapwatch/internal/packets"
)

func main() {
	out := flag.String("out", "test/fixtures", "folder to write to")
	only := flag.String("only", "", "remake only those whose name holds this, and leave what is expected of the others")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := record(ctx, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

// record makes the fixtures anew.
func record(ctx context.Context, out, only string) error {
	if err := packets.Missing("softflowd", "pmacctd", "fprobe", "ovs-vswitchd", "nfcapd", "nfdump", "tshark"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := packets.WriteFile(filepath.Join(dir, ordinary), packets.Defaults()); err != nil {
		return err
	}
	if err := packets.WriteSpecialFile(filepath.Join(dir, special)); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := folder.record(ctx, dir, filepath.Join(out, folder.name), only); err != nil {
			return err
		}
	}
	return nil
}

// record makes the fixtures of one folder, and its expected.json.
func (d folder) record(ctx context.Context, traffic, out, only string) error {
	file := filepath.Join(out, "expected.json")
	reports := make(map[string]packets.Report)
	if only != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &reports); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, f := range d.fixtures {
		if !strings.Contains(f.name, only) {
			continue
		}
		path := filepath.Join(out, f.name+".pcap")
		report, err := f.record(ctx, filepath.Join(traffic, f.traffic), path)
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
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

func (f *fixture) record(ctx context.Context, traffic, path string) (packets.Report, error) {
	r, err := startRecording(f.enough)
	if err != nil {
		return packets.Report{}, err
	}
	defer r.close()
	if err := f.export(ctx, traffic, r); err != nil {
		return packets.Report{}, err
	}
	if err := r.finish(path); err != nil {
		return packets.Report{}, err
	}
	return f.report(ctx, r)
}
