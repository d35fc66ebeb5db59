package packets

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// What the packets of WriteSpecialFile have, for tests to look for.
const (
	SpecialVLAN           = 100
	SpecialTTL            = 57
	SpecialTOS            = 0xb8
	SpecialTopLabel       = 16001
	SpecialBottomLabel    = 24002
	SpecialFragmentID     = 0x4321
	SpecialFragmentOffset = 185
	SpecialVNI            = 5001
	SpecialGREKey         = 77
)

// Ends of the packets of WriteSpecialFile.
var (
	SpecialSrc      = net.IPv4(10, 77, 1, 1).To4()
	SpecialDst      = net.IPv4(10, 77, 1, 2).To4()
	SpecialSrc6     = net.ParseIP("2001:db8:77:1::1")
	SpecialDst6     = net.ParseIP("2001:db8:77:1::2")
	SpecialInnerSrc = net.IPv4(192, 0, 2, 1).To4()
	SpecialInnerDst = net.IPv4(192, 0, 2, 2).To4()
	SpecialSrcMAC   = net.HardwareAddr{2, 0x77, 1, 0, 0, 1}
	SpecialDstMAC   = net.HardwareAddr{2, 0x77, 1, 0, 0, 2}
)

// WriteSpecialFile writes as a pcap what ordinary sessions do not have, one flow
// each, told apart by protocol and destination port:
//
//   - TCP to 443 inside a VLAN;
//   - UDP to 646 under two MPLS labels;
//   - the second fragment of a UDP datagram;
//   - an ICMP destination unreachable, host unreachable;
//   - UDP over IPv6 to 9000;
//   - TCP inside VXLAN, to 4789;
//   - UDP inside GRE with a key.
func WriteSpecialFile(path string) error {
	var b bytes.Buffer
	m := &maker{out: pcapgo.NewWriter(&b), random: rand.New(rand.NewPCG(2, 0)), now: Defaults().Start}
	if err := m.out.WriteFileHeader(1<<16, layers.LinkTypeEthernet); err != nil {
		return fmt.Errorf("write pcap header: %w", err)
	}
	m.special()
	if m.err != nil {
		return m.err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func (m *maker) special() {
	for _, flags := range []layers.TCP{{SYN: true}, {ACK: true}, {FIN: true, ACK: true}} {
		ip := specialIP(layers.IPProtocolTCP)
		tag := &layers.Dot1Q{VLANIdentifier: SpecialVLAN, Type: layers.EthernetTypeIPv4}
		m.write(ether(layers.EthernetTypeDot1Q), tag, ip, specialTCP(ip, flags), m.payload(20))
	}

	ip := specialIP(layers.IPProtocolUDP)
	m.write(ether(layers.EthernetTypeMPLSUnicast),
		&layers.MPLS{Label: SpecialTopLabel, TTL: 60}, &layers.MPLS{Label: SpecialBottomLabel, StackBottom: true, TTL: 60},
		ip, specialUDP(ip, 646), m.payload(100))

	fragment := specialIP(layers.IPProtocolUDP)
	fragment.Id, fragment.FragOffset = SpecialFragmentID, SpecialFragmentOffset
	m.write(ether(layers.EthernetTypeIPv4), fragment, m.payload(80))

	icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodeHost)}
	m.write(ether(layers.EthernetTypeIPv4), specialIP(layers.IPProtocolICMPv4), icmp, m.payload(28))

	ip6 := &layers.IPv6{Version: 6, TrafficClass: SpecialTOS, HopLimit: SpecialTTL, NextHeader: layers.IPProtocolUDP, SrcIP: SpecialSrc6, DstIP: SpecialDst6}
	m.write(ether(layers.EthernetTypeIPv6), ip6, specialUDP(ip6, 9000), m.payload(60))

	outer, inner := specialIP(layers.IPProtocolUDP), innerIP(layers.IPProtocolTCP)
	m.write(ether(layers.EthernetTypeIPv4), outer, specialUDP(outer, 4789), &layers.VXLAN{ValidIDFlag: true, VNI: SpecialVNI},
		ether(layers.EthernetTypeIPv4), inner, specialTCP(inner, layers.TCP{ACK: true}), m.payload(10))

	inner = innerIP(layers.IPProtocolUDP)
	m.write(ether(layers.EthernetTypeIPv4), specialIP(layers.IPProtocolGRE),
		&layers.GRE{Protocol: layers.EthernetTypeIPv4, KeyPresent: true, Key: SpecialGREKey}, inner, specialUDP(inner, 5001), m.payload(10))
	m.now = m.now.Add(time.Second)
}

func ether(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: SpecialSrcMAC, DstMAC: SpecialDstMAC, EthernetType: kind}
}

func specialIP(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: SpecialTTL, TOS: SpecialTOS, Protocol: protocol, SrcIP: SpecialSrc, DstIP: SpecialDst}
}

func innerIP(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: SpecialInnerSrc, DstIP: SpecialInnerDst}
}

func specialTCP(over gopacket.NetworkLayer, flags layers.TCP) *layers.TCP {
	tcp := &layers.TCP{SrcPort: 40000, DstPort: 443, Window: 64240, SYN: flags.SYN, ACK: flags.ACK, FIN: flags.FIN}
	_ = tcp.SetNetworkLayerForChecksum(over)
	return tcp
}

func specialUDP(over gopacket.NetworkLayer, port layers.UDPPort) *layers.UDP {
	udp := &layers.UDP{SrcPort: 40001, DstPort: port}
	_ = udp.SetNetworkLayerForChecksum(over)
	return udp
}
