package goflowref

import "github.com/netsampler/goflow2/v2/decoders/sflow"

// Formats that goflow2 leaves as bytes: extended MPLS, NAT and VLAN tunnel of sFlow
// version 5, and ports of https://sflow.org/sflow_pnat.txt.
const (
	formatMPLS       = 1006
	formatNAT        = 1007
	formatVLANTunnel = 1012
	formatPorts      = 1020
)

// extended says what the switch adds about the packet.
func (r *Record) extended(record *sflow.FlowRecord) {
	switch v := record.Data.(type) {
	case sflow.ExtendedSwitch:
		// About the same tag as the header's, and the switch knows better. 0 is none.
		r.vlan(SrcVLAN, v.SrcVlan)
		r.vlan(DstVLAN, v.DstVlan)
	case sflow.ExtendedRouter:
		r.either(NextHop, ip(v.NextHop))
		r.either(SrcMask, Number(uint64(v.SrcMaskLen&0xff)))
		r.either(DstMask, Number(uint64(v.DstMaskLen&0xff)))
	case sflow.ExtendedGateway:
		r.either(SrcAS, Number(uint64(v.SrcAS)))
		if n := len(v.ASPath); n > 0 {
			r.either(DstAS, Number(uint64(v.ASPath[n-1])))
		}
		if v.ASDestinations > 1 {
			r.Refused |= 1<<DstAS | 1<<SrcAS | 1<<NextHop // goflow2 reads one segment of the path
		}
		if !r.Is(NextHop) {
			r.set(NextHop, ip(v.NextHop))
		}
	case sflow.RawRecord:
		// Left to our own decoder: which columns it may fill.
		for _, c := range map[uint32][]Column{
			formatMPLS: {NextHop, MPLSLabel1, MPLSLabel2, MPLSLabel3}, formatNAT: {SrcAddrNAT, DstAddrNAT},
			formatVLANTunnel: {SrcVLAN}, formatPorts: {SrcPortNAT, DstPortNAT},
		}[record.Header.DataFormat] {
			r.Refused |= 1 << c
		}
	}
}

// vlan says a VLAN, if it is one.
func (r *Record) vlan(c Column, id uint32) {
	if 0 < id && id < 4095 {
		r.set(c, Number(uint64(id)))
	}
}
