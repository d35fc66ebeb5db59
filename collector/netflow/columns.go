package netflow

import "tapwatch/flow"

// The columns that the element table fills.

func atBytes(b *flow.Batch) []uint64     { return b.Bytes }
func atDstAS(b *flow.Batch) []uint32     { return b.DstAS }
func atDstAddr(b *flow.Batch) [][16]byte { return b.DstAddr }
func atDstMAC(b *flow.Batch) []uint64    { return b.DstMAC }
func atDstMask(b *flow.Batch) []uint8    { return b.DstMask }
func atDstPort(b *flow.Batch) []uint16   { return b.DstPort }
func atDstVLAN(b *flow.Batch) []uint16   { return b.DstVLAN }
func atEndReason(b *flow.Batch) []uint8  { return b.EndReason }
func atForwarding(b *flow.Batch) []uint8 { return b.Forwarding }
func atIPVersion(b *flow.Batch) []uint8  { return b.IPVersion }
func atInIf(b *flow.Batch) []uint32      { return b.InIf }
func atNextHop(b *flow.Batch) [][16]byte { return b.NextHop }
func atOutIf(b *flow.Batch) []uint32     { return b.OutIf }
func atPackets(b *flow.Batch) []uint64   { return b.Packets }
func atProtocol(b *flow.Batch) []uint8   { return b.Protocol }
func atSrcAS(b *flow.Batch) []uint32     { return b.SrcAS }
func atSrcAddr(b *flow.Batch) [][16]byte { return b.SrcAddr }
func atSrcMAC(b *flow.Batch) []uint64    { return b.SrcMAC }
func atSrcMask(b *flow.Batch) []uint8    { return b.SrcMask }
func atSrcPort(b *flow.Batch) []uint16   { return b.SrcPort }
func atSrcVLAN(b *flow.Batch) []uint16   { return b.SrcVLAN }
func atTCPFlags(b *flow.Batch) []uint16  { return b.TCPFlags }
func atTOS(b *flow.Batch) []uint8        { return b.TOS }
