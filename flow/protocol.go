package flow

import (
	"fmt"
	"strconv"
	"strings"
)

// The IP protocol numbers that tapwatch treats by name (IANA, "Assigned Internet
// Protocol Numbers").
const (
	ProtocolICMP   uint8 = 1
	ProtocolIPIP   uint8 = 4
	ProtocolTCP    uint8 = 6
	ProtocolUDP    uint8 = 17
	ProtocolDCCP   uint8 = 33
	ProtocolIPv6   uint8 = 41
	ProtocolGRE    uint8 = 47
	ProtocolESP    uint8 = 50
	ProtocolAH     uint8 = 51
	ProtocolICMPv6 uint8 = 58
	ProtocolOSPF   uint8 = 89
	ProtocolL2TP   uint8 = 115
	ProtocolSCTP   uint8 = 132
)

// protocolName is the short lower-case name of number; empty where it has none.
func protocolName(number uint8) string {
	switch number {
	case ProtocolICMP:
		return "icmp"
	case 2:
		return "igmp"
	case ProtocolIPIP:
		return "ipip"
	case ProtocolTCP:
		return "tcp"
	case 8:
		return "egp"
	case ProtocolUDP:
		return "udp"
	case ProtocolDCCP:
		return "dccp"
	case ProtocolIPv6:
		return "ipv6" // IPv6 carried in IPv4: 6in4, 6to4
	case 46:
		return "rsvp"
	case ProtocolGRE:
		return "gre"
	case ProtocolESP:
		return "esp"
	case ProtocolAH:
		return "ah"
	case ProtocolICMPv6:
		return "icmpv6"
	case 88:
		return "eigrp"
	case ProtocolOSPF:
		return "ospf"
	case 103:
		return "pim"
	case 108:
		return "ipcomp"
	case 112:
		return "vrrp"
	case ProtocolL2TP:
		return "l2tp"
	case 124:
		return "isis"
	case ProtocolSCTP:
		return "sctp"
	case 136:
		return "udplite"
	case 137:
		return "mpls"
	}
	return ""
}

// ProtocolName names an IP protocol number in lower case: "tcp" for 6, and the
// number itself ("200") where it has no common name. ParseProtocol reads both.
func ProtocolName(number uint8) string {
	if name := protocolName(number); name != "" {
		return name
	}
	return strconv.Itoa(int(number))
}

// ParseProtocol is the reverse of ProtocolName: a name, whatever its case, or a
// number from 0 to 255.
func ParseProtocol(text string) (uint8, error) {
	if number, err := strconv.ParseUint(text, 10, 8); err == nil {
		return uint8(number), nil
	}
	name := strings.ToLower(text)
	for number := range 256 {
		if name != "" && protocolName(uint8(number)) == name {
			return uint8(number), nil
		}
	}
	return 0, fmt.Errorf("unknown protocol %q: use a name such as tcp, udp, sctp, icmp, icmpv6, gre, esp, ah, ipip or ospf, or a number from 0 to 255", text)
}

// HasPorts tells whether the protocol has source and destination ports.
func HasPorts(number uint8) bool {
	switch number {
	case ProtocolTCP, ProtocolUDP, ProtocolDCCP, ProtocolSCTP, 136:
		return true
	}
	return false
}
