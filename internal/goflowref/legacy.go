package goflowref

import (
	"bytes"

	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"
)

// version5 reads NetFlow v5. goflow2 makes a record of zeros of each that the header
// counts and the datagram lacks; those are left out.
func version5(payload []byte) []Record {
	const header, size = 24, 48
	var p netflowlegacy.PacketNetFlowV5
	if netflowlegacy.DecodeMessageVersion(bytes.NewBuffer(payload), &p) != nil {
		return nil
	}
	there := min(len(p.Records), (len(payload)-header)/size)
	all := make([]Record, there)
	// The times are by the router's clock, which the header puts beside the date.
	boot := int64(p.UnixSecs)*1000 + int64(p.UnixNSecs)/1e6 - int64(p.SysUptime)
	for i := range all {
		from, r := &p.Records[i], &all[i]
		for c, n := range map[Column]uint64{
			Export: 5, Domain: uint64(p.EngineType)<<8 | uint64(p.EngineId),
			// Two bits say how packets were chosen.
			Sampling: uint64(p.SamplingInterval & 0x3fff),
			Start:    uint64(boot + int64(from.First)), End: uint64(boot + int64(from.Last)),
			SrcAddr: 0xffff<<32 | uint64(from.SrcAddr), DstAddr: 0xffff<<32 | uint64(from.DstAddr),
			NextHop: 0xffff<<32 | uint64(from.NextHop), IPVersion: 4,
			InIf: uint64(from.Input), OutIf: uint64(from.Output),
			Packets: uint64(from.DPkts), Bytes: uint64(from.DOctets),
			SrcPort: uint64(from.SrcPort), DstPort: uint64(from.DstPort),
			TCPFlags: uint64(from.TCPFlags), Protocol: uint64(from.Proto), TOS: uint64(from.Tos),
			SrcAS: uint64(from.SrcAS), DstAS: uint64(from.DstAS),
			SrcMask: uint64(from.SrcMask), DstMask: uint64(from.DstMask),
		} {
			r.set(c, Number(n))
		}
		if most := 30; len(p.Records) > most {
			r.Flags |= PastCount
		}
	}
	return all
}
