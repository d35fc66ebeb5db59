package pcap_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"tapwatch/collector/pcap"
)

const flows = "sixteen bytes!!!"

var at = time.Date(2026, 3, 2, 9, 0, 0, 123456000, time.UTC)

// udp makes an IP packet of a datagram.
func udp(v6 bool, payload string) []byte {
	u := &layers.UDP{SrcPort: 50000, DstPort: 2055}
	ip4 := &layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: layers.IPProtocolUDP, SrcIP: net.IPv4(192, 0, 2, 1), DstIP: net.IPv4(192, 0, 2, 2)}
	ip6 := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("2001:db8::2")}
	if v6 {
		_ = u.SetNetworkLayerForChecksum(ip6)
		return serialize(ip6, u, gopacket.Payload(payload))
	}
	_ = u.SetNetworkLayerForChecksum(ip4)
	return serialize(ip4, u, gopacket.Payload(payload))
}

func serialize(all ...gopacket.SerializableLayer) []byte {
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func ether(kind uint16, packet []byte) []byte {
	return append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, byte(kind >> 8), byte(kind)}, packet...)
}

// fragments cuts an IPv4 packet in two.
func fragments(packet []byte) (a, b []byte) {
	const header, cut = 20, 8
	part := func(offset uint16, data []byte) []byte {
		h := &layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: layers.IPProtocolUDP, SrcIP: net.IPv4(192, 0, 2, 1), DstIP: net.IPv4(192, 0, 2, 2), FragOffset: offset}
		if offset == 0 {
			h.Flags = layers.IPv4MoreFragments
		}
		return serialize(h, gopacket.Payload(data))
	}
	return part(0, packet[header:header+cut]), part(cut/8, packet[header+cut:])
}

// file writes a capture of packets.
func file(t *testing.T, link uint32, all ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(1<<16, layers.LinkType(link)); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(p), Length: len(p)}, p); err != nil {
			t.Fatal(err)
		}
	}
	out := b.Bytes()
	out[20], out[21] = byte(link), byte(link>>8) // gopacket knows link types below 256 alone
	return out
}

func pcapng(t *testing.T, all ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(p), Length: len(p)}, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flows.pcap")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readAll reads to the end; the error is what came instead of the end.
func readAll(f *pcap.File) (all []pcap.Datagram, err error) {
	for {
		d, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, d)
	}
}

func TestFormats(t *testing.T) {
	four, six := udp(false, flows), udp(true, flows)
	sll := append([]byte{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0}, four...)
	sll2 := append([]byte{8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}, four...)
	first, second := fragments(four)
	for _, c := range []struct {
		name string
		data []byte
		from string
	}{
		{"Ethernet", file(t, 1, ether(0x0800, four)), "192.0.2.1:50000"},
		{"IPv6", file(t, 1, ether(0x86dd, six)), "[2001:db8::1]:50000"},
		{"VLAN", file(t, 1, ether(0x8100, append([]byte{0, 5, 8, 0}, four...))), "192.0.2.1:50000"},
		{"Linux any", file(t, 113, sll), "192.0.2.1:50000"},
		{"Linux any, version 2", file(t, 276, sll2), "192.0.2.1:50000"},
		{"raw IP", file(t, 101, four), "192.0.2.1:50000"},
		{"IPv4", file(t, 228, four), "192.0.2.1:50000"},
		{"loopback", file(t, 0, append([]byte{2, 0, 0, 0}, four...)), "192.0.2.1:50000"},
		{"fragments", file(t, 1, ether(0x0800, first), ether(0x0800, second)), "192.0.2.1:50000"},
		{"fragments out of order", file(t, 1, ether(0x0800, second), ether(0x0800, first)), "192.0.2.1:50000"},
		{"padded at the end", file(t, 1, append(ether(0x0800, four), make([]byte, 2)...)), "192.0.2.1:50000"},
		{"pcapng", pcapng(t, ether(0x0800, four)), "192.0.2.1:50000"},
		{"gzip", gzipped(t, file(t, 1, ether(0x0800, four))), "192.0.2.1:50000"},
		{"gzipped pcapng", gzipped(t, pcapng(t, ether(0x0800, four))), "192.0.2.1:50000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.data)
			f, err := pcap.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			all, err := readAll(f)
			if err != nil || len(all) != 1 {
				t.Fatalf("%d datagrams, %v, skipped %+v", len(all), err, f.Skipped())
			}
			d := all[0]
			if d.From != netip.MustParseAddrPort(c.from) || d.To.Port() != 2055 || string(d.Payload) != flows || d.Time.Sub(at).Abs() > time.Microsecond {
				t.Errorf("%s from %s to %s at %s", d.Payload, d.From, d.To, d.Time)
			}
			if f.Read() != f.Size() || f.Size() != int64(len(c.data)) {
				t.Errorf("read %d of %d bytes", f.Read(), f.Size())
			}
		})
	}
}

func TestSkipped(t *testing.T) {
	four := udp(false, flows)
	first, _ := fragments(four)
	tcp := bytes.Clone(four)
	tcp[9] = 6
	fragment6 := append([]byte{0x60, 0, 0, 0, 0, 16, 44, 64}, make([]byte, 32)...)
	fragment6 = append(fragment6, 17, 0, 0, 8, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8)
	arp := ether(0x0806, make([]byte, 28))
	f, err := pcap.Open(write(t, file(t, 1, ether(0x0800, tcp), arp, ether(0x86dd, fragment6), ether(0x0800, first), ether(0x0800, four)[:44], ether(0x0800, four))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	all, err := readAll(f)
	if err != nil || len(all) != 2 {
		t.Errorf("%d datagrams, %v", len(all), err)
	}
	if got, want := f.Skipped(), (pcap.Skipped{NotUDP: 2, Fragments: 1, Cut: 1}); got != want {
		t.Errorf("skipped %+v, want %+v", got, want)
	}
}

func TestBroken(t *testing.T) {
	good := file(t, 1, ether(0x0800, udp(false, flows)))
	two := file(t, 1, ether(0x0800, udp(false, flows)), ether(0x0800, udp(false, flows)))
	ng := pcapng(t, ether(0x0800, udp(false, flows)))
	huge := bytes.Clone(good)
	copy(huge[24+8:], []byte{0xff, 0xff, 0xff, 0x7f})
	for _, c := range []struct {
		name string
		data []byte
		want string
		good int
	}{
		{"empty", nil, "is empty, not a capture", 0},
		{"text", []byte("timestamp,src,dst\n1,2,3\n"), "is not a capture", 0},
		{"three bytes", []byte("abc"), "is not a capture", 0},
		{"header cut off", good[:10], "is truncated", 0},
		{"second packet cut off", two[:len(two)-3], "is truncated: it ends within packet 2", 1},
		{"gzip cut off", gzipped(t, two)[:60], "is truncated", 0},
		{"pcapng cut off", ng[:len(ng)-3], "is truncated", 0},
		{"length of 2 GB", huge, "is broken after 0 packets", 0},
		{"wireless", file(t, 105, []byte{1}), "is not supported", 0},
		{"gzip of nothing", []byte("\x1f\x8b\x00"), "is a broken gzip file", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.data)
			f, err := pcap.Open(path)
			var all []pcap.Datagram
			if err == nil {
				defer func() { _ = f.Close() }()
				all, err = readAll(f)
			}
			if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if len(all) < c.good {
				t.Errorf("%d good datagrams, want %d", len(all), c.good)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	fixtures, err := filepath.Glob("../../test/fixtures/*netflow5.pcap")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, path := range fixtures {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "fuzz.pcap")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := pcap.Open(path)
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = readAll(c)
	})
}
