package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
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
	conn *net.UDPConn
	addr netip.AddrPort
	path string
	all  [][]byte
}

func startRecording() (*recording, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return &recording{conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}, nil
}

func (r *recording) close() { _ = r.conn.Close() }

// finish reads what the exporter, which has ended, left in the socket's buffer,
// and writes it as a pcap.
func (r *recording) finish(path string) error {
	b := make([]byte, 1<<16)
	for {
		if err := r.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			return err
		}
		n, err := r.conn.Read(b)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return err
		}
		r.all = append(r.all, bytes.Clone(b[:n]))
	}
	if len(r.all) == 0 {
		return errors.New("the exporter sent nothing")
	}
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

// tshark counts sFlow, which Debian's nfdump does not read: each sampled frame is
// a flow of one packet.
func tshark(ctx context.Context, r *recording) (packets.Report, error) {
	out, err := exec.CommandContext(ctx, "tshark", "-r", r.path, "-d", "udp.port==2055,sflow",
		"-T", "fields", "-E", "aggregator= ", "-e", "sflow_245.header.frame_length").Output()
	if err != nil {
		return packets.Report{}, fmt.Errorf("tshark: %w", err)
	}
	var report packets.Report
	for _, word := range strings.Fields(string(out)) {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return report, fmt.Errorf("tshark printed %q", word)
		}
		report.Flows, report.Bytes, report.Packets = report.Flows+1, report.Bytes+n, report.Packets+1
	}
	return report, nil
}
