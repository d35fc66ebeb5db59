// Package packets makes traffic of its own for tests: sessions between made-up
// hosts, packet by packet, as a pcap that real exporters read. The same seed gives
// the same bytes.
//
// Tests and the maker of test/fixtures alone use it.
package packets

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Options say what traffic to make.
type Options struct {
	Seed uint64
	// Sessions of each kind: TCP, refused TCP, UDP, ICMP, each over IPv4 and IPv6,
	// and GRE over IPv4.
	Sessions int
	// Start is the time of the first packet.
	Start time.Time
}

// Defaults are a few hundred packets of 36 sessions.
func Defaults() Options {
	return Options{Seed: 1, Sessions: 4, Start: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

// Write writes the traffic as a pcap of Ethernet frames, in the order of time.
func Write(w io.Writer, o Options) error {
	m := &maker{out: pcapgo.NewWriter(w), random: rand.New(rand.NewPCG(o.Seed, 0)), now: o.Start}
	if err := m.out.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		return fmt.Errorf("write pcap header: %w", err)
	}
	for i := range o.Sessions {
		for _, v6 := range []bool{false, true} {
			a, b := m.host(v6, i), m.host(v6, 100+i)
			m.tcp(a, b)
			m.refusedTCP(a, b)
			m.udp(a, b)
			m.ping(a, b)
			if !v6 {
				m.gre(a, b)
			}
		}
	}
	return m.err
}

// maker writes packets; the first error stays.
type maker struct {
	out    *pcapgo.Writer
	random *rand.Rand
	now    time.Time
	err    error
}

// host is one end of a session.
type host struct {
	ip   net.IP
	mac  net.HardwareAddr
	port uint16
}

// host makes the host with number n: of 10.77.0.0/16 or 2001:db8:77::/64.
func (m *maker) host(v6 bool, n int) host {
	h := host{
		ip:   net.IPv4(10, 77, byte(n>>8), byte(n+1)).To4(),
		mac:  net.HardwareAddr{2, 0x77, 0, 0, byte(n >> 8), byte(n)},
		port: uint16(20000 + m.random.IntN(20000)),
	}
	if v6 {
		h.ip = net.ParseIP(fmt.Sprintf("2001:db8:77::%x", n+1))
	}
	return h
}

// with gives the host with another port.
func (h host) with(port uint16) host { h.port = port; return h }

// TCP flags.
const fin, syn, rst, psh, ack = 1, 2, 4, 8, 16

// tcp is a session from handshake to close.
func (m *maker) tcp(client, server host) {
	there := &stream{from: client, to: server.with(443), seq: m.random.Uint32()}
	back := &stream{from: there.to, to: there.from, seq: m.random.Uint32()}
	there.back, back.back = back, there
	m.segment(there, syn, 0)
	m.segment(back, syn|ack, 0)
	m.segment(there, ack, 0)
	for range 2 + m.random.IntN(4) {
		m.segment(there, psh|ack, 100+m.random.IntN(400))
		for range 1 + m.random.IntN(5) {
			m.segment(back, psh|ack, 200+m.random.IntN(1200))
		}
	}
	m.segment(there, fin|ack, 0)
	m.segment(back, fin|ack, 0)
	m.segment(there, ack, 0)
}

// refusedTCP is a connection to a closed port.
func (m *maker) refusedTCP(client, server host) {
	there := &stream{from: client.with(client.port + 1), to: server.with(8443), seq: m.random.Uint32()}
	back := &stream{from: there.to, to: there.from, back: there}
	there.back = back
	m.segment(there, syn, 0)
	m.segment(back, rst|ack, 0)
}

// stream is one direction of a TCP connection.
type stream struct {
	from, to host
	seq      uint32
	back     *stream
}

// segment writes one TCP packet.
func (m *maker) segment(s *stream, flags uint8, size int) {
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(s.from.port), DstPort: layers.TCPPort(s.to.port), Seq: s.seq, Window: 64240,
		FIN: flags&fin != 0, SYN: flags&syn != 0, RST: flags&rst != 0, PSH: flags&psh != 0, ACK: flags&ack != 0,
	}
	if tcp.ACK {
		tcp.Ack = s.back.seq
	}
	s.seq += uint32(size)
	if tcp.SYN || tcp.FIN {
		s.seq++
	}
	m.ip(s.from, s.to, layers.IPProtocolTCP, func(n gopacket.NetworkLayer) { _ = tcp.SetNetworkLayerForChecksum(n) }, tcp, m.payload(size))
}

func (m *maker) udp(client, server host) {
	server = server.with(9000)
	for range 1 + m.random.IntN(3) {
		m.datagram(client, server, 30+m.random.IntN(30))
		m.datagram(server, client, 60+m.random.IntN(400))
	}
}

// datagram writes one UDP packet.
func (m *maker) datagram(from, to host, size int) {
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.port), DstPort: layers.UDPPort(to.port)}
	m.ip(from, to, layers.IPProtocolUDP, func(n gopacket.NetworkLayer) { _ = udp.SetNetworkLayerForChecksum(n) }, udp, m.payload(size))
}

// ping writes echo requests and replies.
func (m *maker) ping(a, b host) {
	id := uint16(m.random.Uint32())
	for seq := range uint16(3) {
		m.echo(a, b, false, id, seq)
		m.echo(b, a, true, id, seq)
	}
}

func (m *maker) echo(from, to host, reply bool, id, seq uint16) {
	if from.ip.To4() != nil {
		kind := uint8(layers.ICMPv4TypeEchoRequest)
		if reply {
			kind = layers.ICMPv4TypeEchoReply
		}
		icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: id, Seq: seq}
		m.ip(from, to, layers.IPProtocolICMPv4, nil, icmp, m.payload(56))
		return
	}
	kind := uint8(layers.ICMPv6TypeEchoRequest)
	if reply {
		kind = layers.ICMPv6TypeEchoReply
	}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}
	echo := &layers.ICMPv6Echo{Identifier: id, SeqNumber: seq}
	m.ip(from, to, layers.IPProtocolICMPv6, func(n gopacket.NetworkLayer) { _ = icmp.SetNetworkLayerForChecksum(n) }, icmp, echo, m.payload(56))
}

// gre writes a tunnelled packet each way.
func (m *maker) gre(a, b host) {
	for _, ends := range [][2]host{{a, b}, {b, a}} {
		tunnel := &layers.GRE{Protocol: layers.EthernetTypeIPv4}
		inner := &layers.IPv4{Version: 4, TTL: 63, Protocol: layers.IPProtocolUDP, SrcIP: net.IPv4(192, 0, 2, 1), DstIP: net.IPv4(192, 0, 2, 2)}
		udp := &layers.UDP{SrcPort: 5000, DstPort: 5001}
		_ = udp.SetNetworkLayerForChecksum(inner)
		m.ip(ends[0], ends[1], layers.IPProtocolGRE, nil, tunnel, inner, udp, m.payload(300))
	}
}

func (m *maker) payload(n int) gopacket.Payload {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(m.random.Uint32())
	}
	return p
}

// ip writes one packet: Ethernet, IP, and what is above.
func (m *maker) ip(from, to host, protocol layers.IPProtocol, checksum func(gopacket.NetworkLayer), above ...gopacket.SerializableLayer) {
	eth := &layers.Ethernet{SrcMAC: from.mac, DstMAC: to.mac, EthernetType: layers.EthernetTypeIPv4}
	var network interface {
		gopacket.NetworkLayer
		gopacket.SerializableLayer
	} = &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: from.ip, DstIP: to.ip}
	if from.ip.To4() == nil {
		eth.EthernetType = layers.EthernetTypeIPv6
		network = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: from.ip, DstIP: to.ip}
	}
	if checksum != nil {
		checksum(network)
	}
	m.write(append([]gopacket.SerializableLayer{eth, network}, above...)...)
}

func (m *maker) write(all ...gopacket.SerializableLayer) {
	if m.err != nil {
		return
	}
	b := gopacket.NewSerializeBuffer()
	if m.err = gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); m.err != nil {
		return
	}
	m.now = m.now.Add(time.Duration(1+m.random.IntN(20)) * time.Millisecond)
	data := b.Bytes()
	m.err = m.out.WritePacket(gopacket.CaptureInfo{Timestamp: m.now, CaptureLength: len(data), Length: len(data)}, data)
}

// WriteFile writes the traffic to a file.
func WriteFile(path string, o Options) error {
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
