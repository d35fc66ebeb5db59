package sflow_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/netsampler/goflow2/v2/decoders/sflow"

	"tapwatch/collector/frame/frametest"
	"tapwatch/collector/pcap"
	"tapwatch/flow"
	"tapwatch/internal/captures"
)

// Exports of pmacctd and tshark's reading of them; TestRecord makes both.
const (
	tunnelsPcap   = "testdata/tunnels.pcap"
	tunnelsTshark = "testdata/tunnels.tshark.json"
)

// payloads reads the sFlow datagrams of a capture.
func payloads(t testing.TB, path string) (all [][]byte) {
	t.Helper()
	f, err := pcap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for {
		g, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(g.Payload, []byte{0, 0, 0, 5}) {
			all = append(all, bytes.Clone(g.Payload))
		}
	}
}

// flowRecords gives the records of a sample by goflow2.
func flowRecords(sample any) []sflow.FlowRecord {
	switch s := sample.(type) {
	case sflow.FlowSample:
		return s.Records
	case sflow.ExpandedFlowSample:
		return s.Records
	}
	return nil
}

// sampledHeaders gives the headers that the datagrams hold, by goflow2.
func sampledHeaders(t testing.TB, datagrams [][]byte) (all [][]byte) {
	t.Helper()
	for _, payload := range datagrams {
		var p sflow.Packet
		if err := sflow.DecodeMessageVersion(bytes.NewBuffer(payload), &p); err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Samples {
			for _, r := range flowRecords(s) {
				if h, ok := r.Data.(sflow.SampledHeader); ok {
					all = append(all, h.HeaderData[:min(int(h.OriginalLength), len(h.HeaderData))])
				}
			}
		}
	}
	return all
}

// tunnels decodes the recorded exports: the records, and of each the packet of
// frametest that pmacctd sampled.
func tunnels(t *testing.T) (*flow.Batch, []frametest.Packet) {
	t.Helper()
	all := payloads(t, tunnelsPcap)
	headers := sampledHeaders(t, all)
	b, tally := decode(all...)
	if b.Len() != len(headers) || tally.ByReason() != nil {
		t.Fatalf("%d records of %d samples, dropped %v", b.Len(), len(headers), tally.ByReason())
	}
	var sampled []frametest.Packet
	made := frametest.All()
	for _, h := range headers {
		// pmacctd keeps the order and leaves out what it does not take for IP.
		for len(made) > 0 && !bytes.HasPrefix(made[0].Data, h) {
			made = made[1:]
		}
		if len(made) == 0 {
			t.Fatalf("no packet of frametest begins with % x: run with -record", h)
		}
		sampled = append(sampled, made[0])
		made = made[1:]
	}
	return b, sampled
}

// TestTunnelExports compares what is read of a real agent's exports with what went
// into the packets, column by column.
func TestTunnelExports(t *testing.T) {
	b, sampled := tunnels(t)
	const checksum = 4 // of the frame, which agents count
	kinds := make(map[int8]bool)
	for i, p := range sampled {
		kinds[b.Tunnel[i]] = true
		want := maps.Clone(p.Want)
		want["export_protocol"] = strconv.Itoa(int(flow.ExportSFlow5))
		want["packets"], want["sampling_interval"] = "1", "1"
		want["bytes"] = strconv.Itoa(len(p.Data) + checksum)
		// The agent has no interface to speak of, and says so in its own way.
		for _, column := range []string{"in_if", "out_if", "observation_domain"} {
			if v := fmt.Sprint(b.Row(i).Get(column)); v != "0" {
				want[column] = v
			}
		}
		if diff := cmp.Diff(want, frametest.Columns(b, i)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
	if len(kinds) != 9 {
		t.Errorf("the exports have tunnels of kind %v", kinds)
	}
}

// exports are the captures of sFlow: those of the repository, and the shared ones.
func exports(t testing.TB) []string {
	t.Helper()
	files := []string{tunnelsPcap, "../../test/fixtures/pmacctd-sflow5.pcap"}
	for _, c := range captures.Index(t) {
		if strings.Contains(c.Protocol, "sFlow") {
			files = append(files, filepath.Clean(c.Path))
		}
	}
	return files
}
