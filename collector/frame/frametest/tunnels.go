package frametest

import (
	"encoding/binary"
	"slices"

	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

const (
	ip4   = layers.EthernetTypeIPv4
	ip6   = layers.EthernetTypeIPv6
	teb   = layers.EthernetTypeTransparentEthernetBridging
	span  = layers.EthernetTypeERSPAN
	span3 = layers.EthernetType(0x22eb)
)

// Tunnels are packets of every tunnel.
func Tunnels() []Packet {
	return slices.Concat(greTunnels(), erspanTunnels(), ipTunnels(), udpTunnels())
}

func gre(g *layers.GRE, inside ...stack) stack {
	return append(stack{from4(layers.IPProtocolGRE), g}, join(inside...)...)
}

func greTunnels() []Packet {
	wants, plain := wants4(47), wantsTunnel(flow.TunnelGRE, 0)
	keyed := &layers.GRE{Protocol: ip4, KeyPresent: true, Key: 305419896}
	all := &layers.GRE{Protocol: ip6, ChecksumPresent: true, KeyPresent: true, Key: 7, SeqPresent: true, Seq: 9}
	pptp := raw(0x30, 0x81, 0x88, 0x0b, 0, 60, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2)
	return []Packet{
		packet("GRE", ip4, gre(&layers.GRE{Protocol: ip4}, inner4()), wants, plain, wantsInner4),
		packet("GRE with key", ip4, gre(keyed, inner4()), wants, wantsTunnel(flow.TunnelGRE, 305419896), wantsInner4),
		packet("GRE with checksum, key and sequence", ip4, gre(all, inner6()), wants, wantsTunnel(flow.TunnelGRE, 7), wantsInner6),
		packet("GRE over IPv6", ip6, join(stack{from6(layers.IPProtocolGRE), &layers.GRE{Protocol: ip4}}, inner4()), wants6(47), plain, wantsInner4),
		packet("GRE with a frame", ip4, gre(&layers.GRE{Protocol: teb, KeyPresent: true, Key: 11}, frame4()), wants, wantsTunnel(flow.TunnelGRE, 11), wantsInner4),
		packet("GRE with MPLS", ip4, gre(&layers.GRE{Protocol: layers.EthernetTypeMPLSUnicast}, stack{&layers.MPLS{Label: 5, StackBottom: true, TTL: 9}}, inner4()), wants, plain, wantsInner4),
		packet("GRE of PPTP", ip4, join(stack{from4(layers.IPProtocolGRE), pptp, raw(0xff, 3, 0, 0x21)}, inner4()), wants, wantsTunnel(flow.TunnelGRE, 0x1234), wantsInner4),
		packet("GRE of PPTP, protocol compressed", ip4, join(stack{from4(layers.IPProtocolGRE), pptp, raw(0x21)}, inner4()), wants, wantsTunnel(flow.TunnelGRE, 0x1234), wantsInner4),
		packet("GRE in GRE", ip4, gre(&layers.GRE{Protocol: ip4}, gre(&layers.GRE{Protocol: ip4}, inner4())), wants, plain,
			want{"inner_src_addr": routerA, "inner_dst_addr": routerB, "inner_protocol": 47}),
		packet("GRE keepalive", ip4, gre(&layers.GRE{}), wants, plain),
		packet("GRE with a source route", ip4, stack{from4(layers.IPProtocolGRE), raw(0x40, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0), payload(20)}, wants, plain),
	}
}

func erspanTunnels() []Packet {
	wants := wants4(47)
	two := &layers.GRE{Protocol: span, SeqPresent: true, Seq: 5}
	three := &layers.GRE{Protocol: span3, SeqPresent: true, Seq: 5}
	session := func(version uint8, id uint16) *layers.ERSPANII {
		return &layers.ERSPANII{Version: version, VLANIdentifier: 10, SessionID: id, Index: 3}
	}
	// Type III: version 2 and VLAN 10, session, timestamp, group, and the last two
	// bytes: frame type, hardware, direction, granularity, and whether the platform's
	// part follows.
	header3 := func(last uint16) stack {
		b := []byte{0x20, 10, 0x03, 0xff, 1, 2, 3, 4, 0, 0}
		return stack{raw(binary.BigEndian.AppendUint16(b, last)...)}
	}
	const platform, packetType = 1, 2 << 10
	return []Packet{
		packet("ERSPAN I", ip4, gre(&layers.GRE{Protocol: span}, frame4()), wants, wantsTunnel(flow.TunnelERSPAN1, 0), wantsInner4),
		packet("ERSPAN II", ip4, gre(two, stack{session(1, 1023)}, frame4()), wants, wantsTunnel(flow.TunnelERSPAN2, 1023), wantsInner4),
		packet("ERSPAN II of unknown version", ip4, gre(two, stack{session(5, 1023)}, frame4()), wants, wantsTunnel(flow.TunnelERSPAN2, 0)),
		packet("ERSPAN III", ip4, gre(three, header3(0), frame4()), wants, wantsTunnel(flow.TunnelERSPAN3, 1023), wantsInner4),
		packet("ERSPAN III with the platform's part", ip4, gre(three, header3(platform), stack{payload(8)}, frame4()), wants, wantsTunnel(flow.TunnelERSPAN3, 1023), wantsInner4),
		packet("ERSPAN III of an IP packet", ip4, gre(three, header3(packetType), inner6()), wants, wantsTunnel(flow.TunnelERSPAN3, 1023), wantsInner6),
	}
}

func ipTunnels() []Packet {
	kind := wantsTunnel(flow.TunnelIPIP, 0)
	fragment := from4(layers.IPProtocolIPv4)
	fragment.FragOffset = 185
	return []Packet{
		packet("4 in 4", ip4, join(stack{from4(layers.IPProtocolIPv4)}, inner4()), wants4(4), kind, wantsInner4),
		packet("6 in 4", ip4, join(stack{from4(layers.IPProtocolIPv6)}, inner6()), wants4(41), kind, wantsInner6),
		packet("4 in 6", ip6, join(stack{from6(layers.IPProtocolIPv4)}, inner4()), wants6(4), kind, wantsInner4),
		packet("6 in 6", ip6, join(stack{from6(layers.IPProtocolIPv6)}, inner6()), wants6(41), kind, wantsInner6),
		packet("4 in 4, a later fragment", ip4, stack{fragment, payload(64)}, wants4(4), want{"fragment_offset": 185}),
		packet("4 in 4 that is not", ip4, stack{from4(layers.IPProtocolIPv4), raw(0x65, 0, 0, 0), payload(60)}, wants4(4), kind),
	}
}

func udpTunnels() []Packet {
	over := func(port layers.UDPPort, inside ...stack) stack {
		return append(stack{from4(layers.IPProtocolUDP), &layers.UDP{SrcPort: 51000, DstPort: port}}, join(inside...)...)
	}
	wants := func(port int) want {
		w := wants4(17)
		w["src_port"], w["dst_port"] = 51000, port
		return w
	}
	vxlan := stack{&layers.VXLAN{ValidIDFlag: true, VNI: 0xabcdef}}
	geneve := func(kind layers.EthernetType) stack {
		b := binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(kind)) // two words of options
		return stack{raw(append(b, 0xab, 0xcd, 0xef, 0, 1, 2, 0x80, 1, 9, 9, 9, 9)...)}
	}
	gtp := func(flags, kind byte, more ...byte) stack {
		return stack{raw(append([]byte{flags, kind, 0, 84, 0xde, 0xad, 0xbe, 0xef}, more...)...)}
	}
	const userPacket, echo = 255, 1
	isGTP := wantsTunnel(flow.TunnelGTPU, 0xdeadbeef)
	return []Packet{
		packet("VXLAN", ip4, over(4789, vxlan, frame4()), wants(4789), wantsTunnel(flow.TunnelVXLAN, 0xabcdef), wantsInner4),
		packet("VXLAN with IPv6", ip4, over(4789, vxlan, framed(ip6, inner6())), wants(4789), wantsTunnel(flow.TunnelVXLAN, 0xabcdef), wantsInner6),
		packet("VXLAN's port, no VXLAN", ip4, over(4789, stack{payload(60)}), wants(4789)),
		packet("GENEVE with a frame", ip4, over(6081, geneve(teb), frame4()), wants(6081), wantsTunnel(flow.TunnelGENEVE, 0xabcdef), wantsInner4),
		packet("GENEVE with a packet", ip4, over(6081, geneve(ip6), inner6()), wants(6081), wantsTunnel(flow.TunnelGENEVE, 0xabcdef), wantsInner6),
		packet("GTP-U", ip4, over(2152, gtp(0x30, userPacket), inner4()), wants(2152), isGTP, wantsInner4),
		packet("GTP-U with sequence number", ip4, over(2152, gtp(0x32, userPacket, 0, 1, 0, 0), inner4()), wants(2152), isGTP, wantsInner4),
		// The PDU session container of 5G, and another extension behind it.
		packet("GTP-U with extensions", ip4, over(2152, gtp(0x34, userPacket, 0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 1, 2, 3, 4, 5, 6, 0), inner6()), wants(2152), isGTP, wantsInner6),
		packet("GTP-U with endless extensions", ip4, over(2152, gtp(0x34, userPacket, 0, 0, 0, 0x85, 0, 0, 9, 0), inner4()), wants(2152), isGTP),
		packet("GTP-U echo", ip4, over(2152, gtp(0x32, echo, 0, 1, 0, 0)), wants(2152)),
	}
}

// Broken are packets that break off or lie; what is wrong is not believed.
func Broken() []Packet {
	return []Packet{
		packet("ARP", layers.EthernetTypeARP, stack{payload(28)}),
		packet("802.3", 38, stack{raw(0x42, 0x42, 3), payload(35)}),
		packet("IPv4 by its type, IPv6 by its version", ip4, inner6()),
		packet("IP header of four words", ip4, stack{raw(0x44, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2), payload(20)}),
		packet("IP shorter than its header", ip4, stack{raw(0x45, 0, 0, 19, 0, 0, 0, 0, 64, 6, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2), payload(20)}),
		packet("IP options beyond the end", ip4, stack{raw(0x4f, 0xb8, 0, 60, 0x12, 0x34, 0, 0, 250, 6, 0, 0, 10, 1, 0, 1, 10, 2, 0, 2), payload(20)}, wants4(6)),
		packet("nothing behind labels", layers.EthernetTypeMPLSUnicast, stack{&layers.MPLS{Label: 9, StackBottom: true}}, want{"mpls_label_1": 9}),
		packet("labels that carry what is unknown", layers.EthernetTypeMPLSUnicast, stack{&layers.MPLS{Label: 9, StackBottom: true}, raw(0x10), payload(80)}, want{"mpls_label_1": 9}),
	}
}
