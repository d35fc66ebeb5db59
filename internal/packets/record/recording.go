package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"tapwatch/internal/packets"
)

// recording keeps the datagrams that come to a socket.
type recording struct {
	conn   *net.UDPConn
	addr   netip.AddrPort
	path   string
	all    [][]byte
	enough func([][]byte) bool
}

func startRecording(enough func([][]byte) bool) (*recording, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return &recording{conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), enough: enough}, nil
}

func (r *recording) close() { _ = r.conn.Close() }

// wait reads until there is enough.
func (r *recording) wait(ctx context.Context) error {
	for !r.enough(r.all) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.read(30 * time.Second); err != nil {
			return fmt.Errorf("after %d datagrams: %w", len(r.all), err)
		}
	}
	return nil
}

// read reads a datagram.
func (r *recording) read(timeout time.Duration) error {
	b := make([]byte, 1<<16)
	if err := r.conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	n, err := r.conn.Read(b)
	if err != nil {
		return err
	}
	r.all = append(r.all, b[:n:n])
	return nil
}

// finish reads what the exporter, which has ended, left in the socket's buffer,
// and writes it as a pcap.
func (r *recording) finish(path string) error {
	for {
		err := r.read(200 * time.Millisecond)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
	}
	if len(r.all) == 0 {
		return errors.New("the exporter sent nothing")
	}
	r.all = withoutUnused(r.all)
	r.path = path
	var file bytes.Buffer
	if err := writePcap(&file, r.all); err != nil {
		return err
	}
	return os.WriteFile(path, file.Bytes(), 0o644)
}

// writePcap writes datagrams as from an exporter 192.0.2.1 to a collector
// 192.0.2.2, one a millisecond: neither the ports nor the time of the recording
// get into the fixture.
func writePcap(file *bytes.Buffer, all [][]byte) error {
	w := pcapgo.NewWriter(file)
	if err := w.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		return err
	}
	at := packets.Defaults().Start.Add(time.Minute)
	for i, payload := range all {
		ip := &layers.IPv4{Version: 4, TTL: 64, Id: uint16(i), Protocol: layers.IPProtocolUDP, SrcIP: net.IPv4(192, 0, 2, 1), DstIP: net.IPv4(192, 0, 2, 2)}
		udp := &layers.UDP{SrcPort: 50000, DstPort: 2055}
		_ = udp.SetNetworkLayerForChecksum(ip)
		b := gopacket.NewSerializeBuffer()
		eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, eth, ip, udp, gopacket.Payload(payload)); err != nil {
			return err
		}
		info := gopacket.CaptureInfo{Timestamp: at.Add(time.Duration(i) * time.Millisecond), CaptureLength: len(b.Bytes()), Length: len(b.Bytes())}
		if err := w.WritePacket(info, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// withoutUnused leaves out IPFIX messages that hold nothing but templates of which
// no record came: Open vSwitch has a template for every case, 27 kB of them.
func withoutUnused(all [][]byte) [][]byte {
	const messageHeader, setHeader, templates = 16, 4, 2
	used := make(map[uint16]bool)
	set := func(d []byte) uint16 { return binary.BigEndian.Uint16(d[messageHeader:]) }
	for _, d := range all {
		if len(d) < messageHeader+setHeader || binary.BigEndian.Uint16(d) != 10 {
			return all
		}
		used[set(d)] = true
	}
	return slices.DeleteFunc(all, func(d []byte) bool {
		if set(d) != templates {
			return false
		}
		for at := messageHeader + setHeader; at+4 <= len(d); {
			id, fields := binary.BigEndian.Uint16(d[at:]), int(binary.BigEndian.Uint16(d[at+2:]))
			if id < 256 || used[id] {
				return false
			}
			for at += 4; fields > 0 && at+4 <= len(d); fields-- {
				if d[at]&0x80 != 0 {
					at += 4
				}
				at += 4
			}
		}
		return true
	})
}

// nfdump sends the recording to nfcapd and gives what nfdump then counts.
func nfdump(ctx context.Context, r *recording) (packets.Report, error) {
	dir, err := os.MkdirTemp("", "nfcapd")
	if err != nil {
		return packets.Report{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	n, err := packets.StartNfcapd(ctx, dir)
	if err != nil {
		return packets.Report{}, err
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(n.Addr))
	if err != nil {
		return packets.Report{}, err
	}
	defer func() { _ = conn.Close() }()
	for _, payload := range r.all {
		if _, err := conn.Write(payload); err != nil {
			return packets.Report{}, err
		}
	}
	return n.Stop(ctx)
}

// tsharkPSAMP counts the frames that PSAMP carries, each a flow of one packet, and
// the bytes of layer 3 in them.
func tsharkPSAMP(ctx context.Context, r *recording) (packets.Report, error) {
	// The special traffic has 9 frames of Ethernet, 3 VLAN tags and 2 MPLS labels.
	const layer2 = 9*14 + 3*4 + 2*4
	report, err := tsharkSum(ctx, r, "cflow", "cflow.section_exported_octets", "")
	report.Bytes -= layer2
	return report, err
}

// tsharkNetFlow counts what nfdump 1.7.1 does not, or not as exported: half the
// datagrams of NetFlow v1, NetFlow v5 that is sampled, the reverse direction of
// biflows. A direction without packets is no flow.
func tsharkNetFlow(ctx context.Context, r *recording) (packets.Report, error) {
	report, err := tsharkSum(ctx, r, "cflow", "cflow.octets", "cflow.packets")
	if err != nil {
		return report, err
	}
	counts, err := tsharkNumbers(ctx, r, "cflow", "cflow.packets")
	report.Flows = uint64(len(slices.DeleteFunc(counts, func(n uint64) bool { return n == 0 })))
	return report, err
}

// tsharkOpenVSwitch counts Open vSwitch's flows, of which nfdump takes the totals
// for deltas. What is not IP has the bytes of layer 2 alone.
func tsharkOpenVSwitch(ctx context.Context, r *recording) (packets.Report, error) {
	report, err := tsharkNetFlow(ctx, r)
	if err != nil {
		return report, err
	}
	sizes, err := tsharkNumbers(ctx, r, "cflow", "cflow.layer2_octet_delta_count", "-Y", "not cflow.octets")
	if err != nil {
		return report, err
	}
	report.Bytes += total(sizes)
	texts, err := tsharkFields(ctx, r, "cflow", "cflow.abstimestart")
	if err != nil {
		return report, err
	}
	for _, text := range texts {
		at, err := time.Parse("Jan _2, 2006 15:04:05.000000000 MST", text)
		if err != nil {
			return report, err
		}
		report.Starts = append(report.Starts, at.UnixMilli())
	}
	return report, nil
}

// tshark counts sFlow, which Debian's nfdump does not read: each sampled frame is
// a flow of one packet.
func tshark(ctx context.Context, r *recording) (packets.Report, error) {
	return tsharkSum(ctx, r, "sflow", "sflow_245.header.frame_length", "")
}

// tsharkSum sums two fields of flows; without a field of packets each is one.
func tsharkSum(ctx context.Context, r *recording, protocol, bytesField, packetsField string) (packets.Report, error) {
	sizes, err := tsharkNumbers(ctx, r, protocol, bytesField)
	if err != nil {
		return packets.Report{}, err
	}
	report := packets.Report{Flows: uint64(len(sizes)), Bytes: total(sizes), Packets: uint64(len(sizes))}
	if packetsField == "" {
		return report, nil
	}
	counts, err := tsharkNumbers(ctx, r, protocol, packetsField)
	report.Packets = total(counts)
	return report, err
}

func total(numbers []uint64) (sum uint64) {
	for _, n := range numbers {
		sum += n
	}
	return sum
}

// tsharkNumbers gives the values of a field that is a number.
func tsharkNumbers(ctx context.Context, r *recording, protocol, field string, options ...string) (all []uint64, err error) {
	words, err := tsharkFields(ctx, r, protocol, field, options...)
	if err != nil {
		return nil, err
	}
	for _, word := range words {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("tshark printed %q", word)
		}
		all = append(all, n)
	}
	return all, nil
}

// tsharkFields gives the values of a field.
func tsharkFields(ctx context.Context, r *recording, protocol, field string, options ...string) (all []string, err error) {
	args := []string{"-r", r.path, "-d", "udp.port==2055," + protocol, "-T", "fields", "-E", "aggregator=;", "-e", field}
	out, err := exec.CommandContext(ctx, "tshark", append(args, options...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("tshark: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, strings.Split(line, ";")...)
		}
	}
	return all, nil
}
