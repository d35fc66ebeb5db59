package frametest

import (
	"fmt"
	"slices"

	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// All are the packets of every kind.
func All() []Packet {
	return slices.Concat(Plain(), Labelled(), Ambiguous(), Tunnels(), Broken())
}

// Plain are packets without a tunnel.
func Plain() []Packet {
	const kind, code = layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodePort
	tcp, ports := inner4(), want{"src_port": clientPort, "dst_port": serverPort}
	hosts4 := want{"src_addr": hostA, "dst_addr": hostB, "protocol": 6, "ip_version": 4, "ip_ttl": innerTTL, "fragment_id": 7, "tcp_flags": 0x12}
	hosts6 := want{"src_addr": host6A, "dst_addr": host6B, "protocol": 17, "ip_version": 6, "ip_ttl": innerTTL}
	options := from4(layers.IPProtocolUDP)
	options.Options = []layers.IPv4Option{{OptionType: 148, OptionLength: 4, OptionData: []byte{0, 0}}}
	fragment := from4(layers.IPProtocolUDP)
	fragment.FragOffset, fragment.Flags = 185, layers.IPv4MoreFragments
	first := from4(layers.IPProtocolUDP)
	first.Flags = layers.IPv4MoreFragments
	udp := &layers.UDP{SrcPort: clientPort, DstPort: serverPort}
	tag := func(id uint16, kind layers.EthernetType) stack {
		return stack{&layers.Dot1Q{VLANIdentifier: id, Type: kind}}
	}
	return []Packet{
		packet("TCP", layers.EthernetTypeIPv4, tcp, hosts4, ports),
		packet("UDP over IPv6", layers.EthernetTypeIPv6, inner6(), hosts6, ports),
		packet("VLAN", layers.EthernetTypeDot1Q, join(tag(42, layers.EthernetTypeIPv4), tcp), hosts4, ports, want{"src_vlan": 42}),
		packet("QinQ", layers.EthernetTypeQinQ, join(tag(100, layers.EthernetTypeDot1Q), tag(42, layers.EthernetTypeIPv6), inner6()), hosts6, ports, want{"src_vlan": 100}),
		packet("QinQ of before 802.1ad", 0x9100, join(tag(100, layers.EthernetTypeDot1Q), tag(42, layers.EthernetTypeIPv4), tcp), hosts4, ports, want{"src_vlan": 100}),
		packet("priority tag", layers.EthernetTypeDot1Q, join(tag(0, layers.EthernetTypeDot1Q), tag(42, layers.EthernetTypeIPv4), tcp), hosts4, ports, want{"src_vlan": 42}),
		packet("PPPoE", layers.EthernetTypePPPoESession, join(stack{&layers.PPPoE{Version: 1, Type: 1, SessionId: 9}, &layers.PPP{PPPType: layers.PPPTypeIPv4}}, tcp), hosts4, ports),
		packet("IP options", layers.EthernetTypeIPv4, stack{options, udp, payload(20)}, wants4(17), ports),
		packet("SCTP", layers.EthernetTypeIPv4, stack{from4(layers.IPProtocolSCTP), &layers.SCTP{SrcPort: clientPort, DstPort: serverPort}, payload(20)}, wants4(132), ports),
		packet("ICMP", layers.EthernetTypeIPv4, stack{from4(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, code)}, payload(28)}, wants4(1), want{"icmp_type": kind, "icmp_code": code}),
		packet("ICMPv6", layers.EthernetTypeIPv6, stack{from6(layers.IPProtocolICMPv6), &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(1, 4)}, payload(48)}, wants6(58), want{"icmp_type": 1, "icmp_code": 4}),
		packet("first fragment", layers.EthernetTypeIPv4, stack{first, udp, payload(64)}, wants4(17), ports),
		packet("later fragment", layers.EthernetTypeIPv4, stack{fragment, payload(64)}, wants4(17), want{"fragment_offset": 185}),
		packet("first fragment of IPv6", layers.EthernetTypeIPv6, stack{from6(layers.IPProtocolIPv6Fragment), raw(17, 0, 0, 1, 0, 0, 0x12, 0x34), udp, payload(64)}, wants6(17), ports, want{"fragment_id": 0x1234}),
		packet("later fragment of IPv6", layers.EthernetTypeIPv6, stack{from6(layers.IPProtocolIPv6Fragment), raw(17, 0, 5, 0xc8, 0, 0, 0x12, 0x34), payload(64)}, wants6(17), want{"fragment_id": 0x1234, "fragment_offset": 185}),
		packet("IPv6 extensions", layers.EthernetTypeIPv6, stack{from6(layers.IPProtocolIPv6HopByHop), raw(43, 0, 1, 4, 0, 0, 0, 0), raw(60, 0, 4, 0, 0, 0, 0, 0), raw(51, 0, 1, 4, 0, 0, 0, 0),
			raw(17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), udp, payload(8)}, wants6(17), ports),
		packet("DNS over UDP, not a tunnel", layers.EthernetTypeIPv4, stack{from4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 4789, DstPort: 53}, payload(40)}, wants4(17), want{"src_port": 4789, "dst_port": 53}),
	}
}

// Labelled are packets behind MPLS labels.
func Labelled() []Packet {
	label := func(label uint32, bottom bool) *layers.MPLS {
		return &layers.MPLS{Label: label, StackBottom: bottom, TTL: 254}
	}
	hosts := want{"src_addr": hostA, "dst_addr": hostB, "protocol": 6, "ip_version": 4, "ip_ttl": innerTTL, "fragment_id": 7, "tcp_flags": 0x12, "src_port": clientPort, "dst_port": serverPort}
	two := want{"mpls_label_1": 1048575, "mpls_label_2": 299776}
	stack2 := stack{label(1048575, false), label(299776, true)}
	var stack5 stack
	for i := range uint32(5) {
		stack5 = append(stack5, label(100+i, i == 4))
	}
	controlWord := stack{raw(0, 0, 0x12, 0x34)}
	mpls := layers.EthernetTypeMPLSUnicast
	return []Packet{
		packet("MPLS", mpls, join(stack2, inner4()), hosts, two),
		packet("MPLS behind a VLAN", layers.EthernetTypeDot1Q, join(stack{&layers.Dot1Q{VLANIdentifier: 42, Type: mpls}}, stack2, inner4()), hosts, two, want{"src_vlan": 42}),
		packet("MPLS of five labels", mpls, join(stack5, inner4()), hosts, want{"mpls_label_1": 100, "mpls_label_2": 101, "mpls_label_3": 102}),
		packet("MPLS, IPv6 behind explicit null", mpls, join(stack{label(2, true)}, inner6()),
			want{"src_addr": host6A, "dst_addr": host6B, "protocol": 17, "ip_version": 6, "ip_ttl": innerTTL, "src_port": clientPort, "dst_port": serverPort, "mpls_label_1": 2}),
		packet("pseudo-wire with control word", mpls, join(stack2, controlWord, frame4()), hosts, two),
		packet("pseudo-wire without control word", mpls, join(stack2, frame4()), hosts, two),
		packet("MPLS, GRE behind it", mpls, join(stack2, stack{from4(layers.IPProtocolGRE), &layers.GRE{Protocol: layers.EthernetTypeIPv4}}, inner4()),
			wants4(47), two, wantsTunnel(flow.TunnelGRE, 0), wantsInner4),
	}
}

// Ambiguous are packets that look like others: frames behind MPLS labels to MAC
// addresses that begin like IP. With less than the inner IP header of them, one
// cannot tell.
func Ambiguous() []Packet {
	var all []Packet
	for _, first := range []byte{0x45, 0x68} {
		p := packet(fmt.Sprintf("pseudo-wire to a MAC address in %x", first), layers.EthernetTypeMPLSUnicast,
			join(stack{&layers.MPLS{Label: 16, StackBottom: true, TTL: 254}}, frameTo(first)),
			want{"src_addr": hostA, "dst_addr": hostB, "protocol": 6, "ip_version": 4, "ip_ttl": innerTTL, "fragment_id": 7, "tcp_flags": 0x12,
				"src_port": clientPort, "dst_port": serverPort, "mpls_label_1": 16})
		p.Least = 14 + 4 + 14 + 4 + 20
		all = append(all, p)
	}
	return all
}
