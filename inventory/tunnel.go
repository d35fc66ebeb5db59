package inventory

import "net/netip"

// Tunnel is an expected tunnel between two addresses.
type Tunnel struct {
	Endpoints [2]netip.Addr
	// Protocol is the IP protocol number of the tunnel's outer packets.
	Protocol      uint8
	Owner, Ticket string
}

// ExpectsTunnel tells whether the inventory lists a tunnel of that IP protocol
// between the two addresses, in either direction.
func (v *Inventory) ExpectsTunnel(a, b netip.Addr, protocol uint8) bool {
	a, b = plain(a), plain(b)
	for _, t := range v.Tunnels {
		same := t.Endpoints == [2]netip.Addr{a, b} || t.Endpoints == [2]netip.Addr{b, a}
		if same && t.Protocol == protocol {
			return true
		}
	}
	return false
}
