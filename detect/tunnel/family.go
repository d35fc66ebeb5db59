package tunnel

import (
	"net/netip"
	"slices"

	"tapwatch/detect"
	"tapwatch/flow"
	"tapwatch/inventory"
)

// family is one way to carry packets in packets: what belongs to one tunnel.
type family struct {
	name      string
	protocols []uint8
	udp       []uint16
}

// families are the tunnels that flow records show by protocol or port (IANA, "Assigned
// Internet Protocol Numbers" and "Service Name and Transport Protocol Port Number
// Registry"; WireGuard's port is its documentation's).
var families = []family{
	{"GRE", []uint8{flow.ProtocolGRE}, nil},
	{"IPsec", []uint8{flow.ProtocolESP, flow.ProtocolAH}, []uint16{500, 4500}},
	{"IP-in-IP", []uint8{flow.ProtocolIPIP}, nil},
	{"IPv6-in-IPv4", []uint8{flow.ProtocolIPv6}, nil},
	{"L2TP", []uint8{flow.ProtocolL2TP}, []uint16{1701}},
	{"VXLAN", nil, []uint16{4789}},
	{"Geneve", nil, []uint16{6081}},
	{"WireGuard", nil, []uint16{wireGuard}},
}

const wireGuard = 51820

// familyOf is the family of the session's tunnel; nil if it is none.
func familyOf(s *detect.Session) *family {
	for i := range families {
		f := &families[i]
		if slices.Contains(f.protocols, s.Protocol) {
			return f
		}
		if s.Protocol == flow.ProtocolUDP && slices.ContainsFunc(f.udp, func(port uint16) bool { return atPort(s, port) }) {
			return f
		}
	}
	return nil
}

// atPort tells whether the session is one of the UDP port: that is its service port, or
// nobody knows which one is and the other is no well-known one. WireGuard's lies among
// the ports that clients use, so one that answers is wanted there.
func atPort(s *detect.Session, port uint16) bool {
	if s.AssetPort != port && s.PeerPort != port {
		return false
	}
	if port == wireGuard && s.AssetPort != s.PeerPort && !s.Answered {
		return false
	}
	other := s.AssetPort
	if other == port {
		other = s.PeerPort
	}
	return s.Port == port || s.Initiator == "" && (other >= 1024 || other == port)
}

// expected tells whether the inventory lists a tunnel of the family between the two.
// One that it lists as esp stands for IKE as well, one listed as udp for any over UDP.
func (f *family) expected(inv *inventory.Inventory, a, b netip.Addr) bool {
	if slices.ContainsFunc(f.protocols, func(p uint8) bool { return inv.ExpectsTunnel(a, b, p) }) {
		return true
	}
	return len(f.udp) > 0 && inv.ExpectsTunnel(a, b, flow.ProtocolUDP)
}
