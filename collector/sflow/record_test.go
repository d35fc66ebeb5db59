package sflow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"tapwatch/collector/frame/frametest"
	"tapwatch/internal/packets"
)

var record = flag.Bool("record", false, "make testdata anew; needs Debian's pmacct and tshark")

// TestRecord has the real pmacctd read the packets of frametest and export them as
// sFlow, and tshark read the sampled headers. See testdata/README.md.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("NOT RUN: -record makes testdata anew")
	}
	if err := packets.Missing("pmacctd", "tshark"); err != nil {
		t.Fatal(err)
	}
	traffic := filepath.Join(t.TempDir(), "traffic.pcap")
	var frames [][]byte
	for _, p := range frametest.All() {
		frames = append(frames, p.Data)
	}
	writePcap(t, traffic, frames)
	recorded := export(t, traffic)
	var wrapped [][]byte
	for _, payload := range recorded {
		wrapped = append(wrapped, wrap(t, payload))
	}
	writePcap(t, tunnelsPcap, wrapped)

	headers := filepath.Join(t.TempDir(), "headers.pcap")
	writePcap(t, headers, sampledHeaders(t, recorded))
	read, err := json.MarshalIndent(tshark(t, headers), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tunnelsTshark, append(read, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// export gives the datagrams that pmacctd sends.
func export(t *testing.T, traffic string) (all [][]byte) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := packets.Pmacctd(ctx, traffic, "sfprobe", "", conn.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1<<16)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(b[:n]))
	}
}

// writePcap writes frames, one a millisecond.
func writePcap(t *testing.T, path string, frames [][]byte) {
	t.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, data := range frames {
		at := packets.Defaults().Start.Add(time.Duration(i) * time.Millisecond)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(data), Length: len(data)}, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wrap makes a datagram from 192.0.2.1 to 192.0.2.2: neither the ports nor the
// addresses of the recording get into the file.
func wrap(t *testing.T, payload []byte) []byte {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IPv4(192, 0, 2, 1), DstIP: net.IPv4(192, 0, 2, 2)}
	udp := &layers.UDP{SrcPort: 50000, DstPort: 6343}
	_ = udp.SetNetworkLayerForChecksum(ip)
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, eth, ip, udp, gopacket.Payload(payload)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tsharkFields are the fields that tshark is asked for.
var tsharkFields = []string{
	"eth.src", "eth.dst", "vlan.id", "mpls.label", "ip.src", "ip.dst", "ip.ttl", "ip.proto", "ip.id", "ip.frag_offset", "ip.dsfield",
	"ipv6.src", "ipv6.dst", "ipv6.hlim", "ipv6.nxt", "ipv6.fraghdr.ident", "ipv6.fraghdr.offset", "ipv6.tclass",
	"tcp.srcport", "tcp.dstport", "tcp.flags", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport",
	"icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code",
	"gre.proto", "gre.key", "gre.key.call_id", "erspan.version", "erspan.spanid", "vxlan.vni", "geneve.vni", "gtp.teid", "gtp.message",
}

// tshark reads frames: of each the fields that it has, from the outermost header to
// the innermost.
func tshark(t *testing.T, path string) []map[string][]string {
	t.Helper()
	args := []string{"-r", path, "-T", "fields", "-E", "separator=|", "-E", "aggregator= "}
	for _, f := range tsharkFields {
		args = append(args, "-e", f)
	}
	out, err := exec.CommandContext(t.Context(), "tshark", args...).Output()
	if err != nil {
		t.Fatal(fmt.Errorf("tshark: %w", err))
	}
	var all []map[string][]string
	for line := range strings.Lines(string(out)) {
		fields := make(map[string][]string)
		for i, values := range strings.Split(strings.TrimSuffix(line, "\n"), "|") {
			if values != "" {
				fields[tsharkFields[i]] = strings.Fields(values)
			}
		}
		all = append(all, fields)
	}
	return all
}
