package frame

import (
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"tapwatch/flow"
)

// The UDP ports of tunnels (IANA). Their packets go to the port from any port.
const (
	portGTPU   = 2152
	portVXLAN  = 4789
	portGENEVE = 6081
)

// udpTunnel reads the header of a tunnel over UDP. A port alone proves nothing: the
// header must look like the tunnel's too.
func (d *Decoder) udpTunnel(port uint16, data []byte) tunnel {
	switch port {
	case portVXLAN:
		return d.vxlanTunnel(data)
	case portGENEVE:
		return d.geneveTunnel(data)
	case portGTPU:
		return gtpTunnel(data)
	}
	return tunnel{}
}

// vxlanTunnel reads a VXLAN header (RFC 7348 §5), which must have its I flag set.
func (d *Decoder) vxlanTunnel(data []byte) tunnel {
	const header = 8
	if len(data) < header || d.vxlan.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil || !d.vxlan.ValidIDFlag {
		return tunnel{}
	}
	return tunnel{kind: flow.TunnelVXLAN, id: d.vxlan.VNI, inner: d.innerFrame(d.vxlan.Payload)}
}

// geneveTunnel reads a GENEVE header of version 0 (RFC 8926 §3.4) and skips its
// options. gopacket would make a copy of each.
func (d *Decoder) geneveTunnel(data []byte) tunnel {
	const header = 8
	if len(data) < header || data[0]>>6 != 0 {
		return tunnel{}
	}
	t := tunnel{kind: flow.TunnelGENEVE, id: binary.BigEndian.Uint32(data[4:]) >> 8}
	if size := header + 4*int(data[0]&0x3f); size < len(data) {
		t.inner = d.innerTyped(layers.EthernetType(binary.BigEndian.Uint16(data[2:])), data[size:])
	}
	return t
}

// gtpTunnel reads a GTP-U header of version 1 (3GPP TS 29.281 §5.1) whose message is
// a G-PDU, a user's packet. gopacket refuses messages that are cut, and prints.
func gtpTunnel(data []byte) tunnel {
	const (
		header, optional         = 8, 4
		versionMask, versionGTP1 = 0xf0, 0x30 // version 1, protocol type GTP
		anyOptional, extended    = 0x07, 0x04
		userPacket               = 255
	)
	if len(data) < header || data[0]&versionMask != versionGTP1 || data[1] != userPacket {
		return tunnel{}
	}
	t := tunnel{kind: flow.TunnelGTPU, id: binary.BigEndian.Uint32(data[4:])}
	flags := data[0]
	data = data[header:]
	if flags&anyOptional != 0 {
		if len(data) < optional {
			return t
		}
		next := data[optional-1]
		data = data[optional:]
		if flags&extended != 0 {
			data = gtpExtensions(next, data)
		}
	}
	t.inner = data
	return t
}

// gtpExtensions skips the extension headers (3GPP TS 29.281 §5.2.1): the first byte
// is the length in units of 4 bytes, the last the type of the next.
func gtpExtensions(next uint8, data []byte) []byte {
	for range maxTags {
		if next == 0 {
			return data
		}
		if len(data) == 0 {
			return nil
		}
		size := 4 * int(data[0])
		if size == 0 || size > len(data) {
			return nil
		}
		next, data = data[size-1], data[size:]
	}
	return nil
}
