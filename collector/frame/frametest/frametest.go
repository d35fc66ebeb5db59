// Package frametest makes packets of every kind that frame reads, with what is to be
// read of them. gopacket, which knows nothing of frame, writes the headers; those
// that it cannot write are bytes out of the RFCs.
//
// Tests and the maker of collector/sflow/testdata alone use it.
package frametest

import (
	"fmt"
	"net"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// Packet is an Ethernet frame and what it holds.
type Packet struct {
	Name string
	Data []byte
	// Want are the columns by name that are not zero, as flow.Row.Get gives them,
	// in the form of fmt.Sprint.
	Want map[string]string
	// IPLength is the length of the outer IP packet, 0 if there is none.
	IPLength int
	// Least is how many bytes it takes to tell what the packet is.
	Least int
}

// Addresses and ports of the packets. The outer ones go from router to router, the
// inner ones from host to host.
var (
	routerA  = net.IPv4(10, 1, 0, 1).To4()
	routerB  = net.IPv4(10, 2, 0, 2).To4()
	router6A = net.ParseIP("2001:db8:1::1")
	router6B = net.ParseIP("2001:db8:2::2")
	hostA    = net.IPv4(192, 0, 2, 1).To4()
	hostB    = net.IPv4(198, 51, 100, 2).To4()
	host6A   = net.ParseIP("2001:db8:a::1")
	host6B   = net.ParseIP("2001:db8:b::2")
)

const (
	clientPort, serverPort = 40000, 443
	innerTTL, outerTTL     = 61, 250
	identification         = 4660
	outerTOS               = 0xb8
)

type (
	stack []gopacket.SerializableLayer
	want  map[string]any
)

// packet makes a frame of the layers, which begin above Ethernet.
func packet(name string, kind layers.EthernetType, above stack, wants ...want) Packet {
	eth := &layers.Ethernet{
		SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: kind,
	}
	p := Packet{
		Name: name,
		Data: serialize(append(stack{eth}, above...)),
		Want: map[string]string{"src_mac": fmt.Sprint(0x020000000001), "dst_mac": fmt.Sprint(0x020000000002)},
	}
	for _, w := range wants {
		for column, value := range w {
			p.Want[column] = fmt.Sprint(value)
		}
	}
	p.IPLength = ipLength(above)
	return p
}

// ipLength is the length of the outermost IP packet.
func ipLength(above stack) int {
	for i, l := range above {
		switch l.(type) {
		case *layers.IPv4, *layers.IPv6:
			return len(serialize(above[i:]))
		}
	}
	return 0
}

func serialize(all stack) []byte {
	var network gopacket.NetworkLayer
	for _, l := range all {
		switch l := l.(type) {
		case *layers.IPv4:
			network = l
		case *layers.IPv6:
			network = l
		case *layers.TCP:
			_ = l.SetNetworkLayerForChecksum(network)
		case *layers.UDP:
			_ = l.SetNetworkLayerForChecksum(network)
		case *layers.ICMPv6:
			_ = l.SetNetworkLayerForChecksum(network)
		}
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		panic(err) // a mistake in the table
	}
	return b.Bytes()
}

// from4 is the outer IPv4 header.
func from4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TOS: outerTOS, TTL: outerTTL, Id: identification, Protocol: protocol, SrcIP: routerA, DstIP: routerB}
}

// from6 is the outer IPv6 header.
func from6(protocol layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, TrafficClass: outerTOS, HopLimit: outerTTL, NextHeader: protocol, SrcIP: router6A, DstIP: router6B}
}

// wants4 and wants6 are what is to be read of them.
func wants4(protocol layers.IPProtocol) want {
	return want{
		"src_addr": routerA, "dst_addr": routerB, "protocol": uint8(protocol), "ip_version": 4,
		"tos": outerTOS, "ip_ttl": outerTTL, "fragment_id": identification,
	}
}

func wants6(protocol layers.IPProtocol) want {
	return want{
		"src_addr": router6A, "dst_addr": router6B, "protocol": uint8(protocol), "ip_version": 6,
		"tos": outerTOS, "ip_ttl": outerTTL,
	}
}

// inner4 is an inner packet, TCP in IPv4, and inner6 another, UDP in IPv6.
func inner4() stack {
	ip := &layers.IPv4{Version: 4, TTL: innerTTL, Id: 7, Protocol: layers.IPProtocolTCP, SrcIP: hostA, DstIP: hostB}
	tcp := &layers.TCP{SrcPort: clientPort, DstPort: serverPort, Seq: 1, SYN: true, ACK: true, Window: 1024,
		Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 180}}}}
	return stack{ip, tcp, payload(40)}
}

func inner6() stack {
	ip := &layers.IPv6{Version: 6, HopLimit: innerTTL, NextHeader: layers.IPProtocolUDP, SrcIP: host6A, DstIP: host6B}
	return stack{ip, &layers.UDP{SrcPort: clientPort, DstPort: serverPort}, payload(40)}
}

// framed puts an inner packet into an inner frame, with a VLAN.
func framed(kind layers.EthernetType, packet stack) stack {
	eth := &layers.Ethernet{
		SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 0xa}, DstMAC: net.HardwareAddr{0, 0x1b, 0x21, 0, 0, 0xb}, EthernetType: layers.EthernetTypeDot1Q,
	}
	return append(stack{eth, &layers.Dot1Q{VLANIdentifier: 77, Type: kind}}, packet...)
}

func frame4() stack { return framed(layers.EthernetTypeIPv4, inner4()) }

// frameTo is a frame to a MAC address that begins so.
func frameTo(first byte) stack {
	f := frame4()
	if eth, ok := f[0].(*layers.Ethernet); ok {
		eth.DstMAC[0] = first
	}
	return f
}

// wantsTunnel are the columns of a tunnel.
func wantsTunnel(kind int8, id uint32) want {
	w := want{"tunnel": kind}
	if id != 0 {
		w["tunnel_id"] = id
	}
	return w
}

var (
	wantsInner4 = want{
		"inner_src_addr": hostA, "inner_dst_addr": hostB,
		"inner_src_port": clientPort, "inner_dst_port": serverPort, "inner_protocol": uint8(layers.IPProtocolTCP),
	}
	wantsInner6 = want{
		"inner_src_addr": host6A, "inner_dst_addr": host6B,
		"inner_src_port": clientPort, "inner_dst_port": serverPort, "inner_protocol": uint8(layers.IPProtocolUDP),
	}
)

// raw are bytes as they are.
func raw(b ...byte) gopacket.Payload { return b }

func payload(n int) gopacket.Payload {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i)
	}
	return p
}

func join(all ...stack) stack {
	var s stack
	for _, a := range all {
		s = append(s, a...)
	}
	return s
}

// Columns gives the columns of a record that are not zero, in the form of Want.
func Columns(b *flow.Batch, row int) map[string]string {
	var zero flow.Batch
	zero.Grow(1)
	got := make(map[string]string)
	for i := range flow.Fields {
		name := flow.Fields[i].Name
		if v := fmt.Sprint(b.Row(row).Get(name)); v != fmt.Sprint(zero.Row(0).Get(name)) {
			got[name] = v
		}
	}
	return got
}
