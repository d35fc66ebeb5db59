package collector_test

import (
	"tapwatch/flow"
	"tapwatch/internal/goflowref"
)

// rowValues gives a row as the reference has its records.
func rowValues(b *flow.Batch, i int) (v goflowref.Values) {
	number := func(c goflowref.Column, n uint64) { v[c] = goflowref.Number(n) }
	address := func(c goflowref.Column, a [16]byte) { v[c] = goflowref.Addr(a) }
	number(goflowref.Export, uint64(b.ExportProtocol[i]))
	number(goflowref.Domain, uint64(b.ObservationDomain[i]))
	number(goflowref.Start, uint64(b.StartAt[i]))
	number(goflowref.End, uint64(b.EndAt[i]))
	number(goflowref.Sampling, uint64(b.SamplingInterval[i]))
	address(goflowref.SrcAddr, b.SrcAddr[i])
	address(goflowref.DstAddr, b.DstAddr[i])
	number(goflowref.SrcPort, uint64(b.SrcPort[i]))
	number(goflowref.DstPort, uint64(b.DstPort[i]))
	number(goflowref.Protocol, uint64(b.Protocol[i]))
	number(goflowref.IPVersion, uint64(b.IPVersion[i]))
	number(goflowref.TCPFlags, uint64(b.TCPFlags[i]))
	number(goflowref.TOS, uint64(b.TOS[i]))
	number(goflowref.ICMPType, uint64(b.ICMPType[i]))
	number(goflowref.ICMPCode, uint64(b.ICMPCode[i]))
	number(goflowref.Bytes, b.Bytes[i])
	number(goflowref.Packets, b.Packets[i])
	number(goflowref.Direction, uint64(b.Direction[i]))
	number(goflowref.EndReason, uint64(b.EndReason[i]))
	number(goflowref.Forwarding, uint64(b.Forwarding[i]))
	number(goflowref.InIf, uint64(b.InIf[i]))
	number(goflowref.OutIf, uint64(b.OutIf[i]))
	number(goflowref.SrcVLAN, uint64(b.SrcVLAN[i]))
	number(goflowref.DstVLAN, uint64(b.DstVLAN[i]))
	number(goflowref.SrcMAC, b.SrcMAC[i])
	number(goflowref.DstMAC, b.DstMAC[i])
	address(goflowref.NextHop, b.NextHop[i])
	number(goflowref.SrcAS, uint64(b.SrcAS[i]))
	number(goflowref.DstAS, uint64(b.DstAS[i]))
	number(goflowref.SrcMask, uint64(b.SrcMask[i]))
	number(goflowref.DstMask, uint64(b.DstMask[i]))
	number(goflowref.InVRF, uint64(b.InVRF[i]))
	number(goflowref.OutVRF, uint64(b.OutVRF[i]))
	number(goflowref.MPLSLabel1, uint64(b.MPLSLabel1[i]))
	number(goflowref.MPLSLabel2, uint64(b.MPLSLabel2[i]))
	number(goflowref.MPLSLabel3, uint64(b.MPLSLabel3[i]))
	number(goflowref.IPTTL, uint64(b.IPTTL[i]))
	number(goflowref.FragmentID, uint64(b.FragmentID[i]))
	number(goflowref.FragmentOffset, uint64(b.FragmentOffset[i]))
	address(goflowref.SrcAddrNAT, b.SrcAddrNAT[i])
	address(goflowref.DstAddrNAT, b.DstAddrNAT[i])
	number(goflowref.SrcPortNAT, uint64(b.SrcPortNAT[i]))
	number(goflowref.DstPortNAT, uint64(b.DstPortNAT[i]))
	number(goflowref.NATEvent, uint64(b.NATEvent[i]))
	number(goflowref.FirewallEvent, uint64(b.FirewallEvent[i]))
	return v
}
