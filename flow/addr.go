package flow

import "net/netip"

// From4 maps an IPv4 address into the 16 bytes of a Batch column.
func From4(a [4]byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: a[0], 13: a[1], 14: a[2], 15: a[3]}
}

// FromAddr gives the 16 bytes of a Batch column for a; all zero for the zero Addr.
func FromAddr(a netip.Addr) [16]byte {
	if !a.IsValid() {
		return [16]byte{}
	}
	return a.As16()
}

// Addr is the reverse of FromAddr: an IPv4 address comes back as IPv4, the
// all-zero bytes as the zero Addr.
func Addr(a [16]byte) netip.Addr {
	if a == ([16]byte{}) {
		return netip.Addr{}
	}
	return netip.AddrFrom16(a).Unmap()
}
