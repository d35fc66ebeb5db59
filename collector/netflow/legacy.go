package netflow

import (
	"bytes"
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/netflowlegacy"

	"tapwatch/collector"
	"tapwatch/flow"
)

// Sizes of NetFlow v5 and v7 (Cisco, "NetFlow Export Datagram Format").
const (
	legacyHeader = 24
	record5      = 48
	record7      = 52
	// legacyMost is the most records of one datagram: 30 of v5, fewer of v7.
	legacyMost = 30
)

// decode5 reads a NetFlow v5 datagram: as many records as its header counts and
// its length holds. Bytes after them are counted and left: no exporter puts two
// packets into one datagram, so they are padding or noise.
func decode5(b *flow.Batch, d *collector.Datagram) {
	n, ok := legacyRecords(d, record5)
	if !ok {
		return
	}
	// goflow2 makes room for as many records as the header counts.
	fixed := bytes.Clone(d.Payload[:legacyHeader+n*record5])
	binary.BigEndian.PutUint16(fixed[2:], uint16(n))
	var p netflowlegacy.PacketNetFlowV5
	if err := netflowlegacy.DecodeMessageVersion(bytes.NewBuffer(fixed), &p); err != nil {
		d.Tally.Drop(collector.DecoderError, 1)
		return
	}
	m := message{version: version5, uptime: p.SysUptime, exportAt: int64(p.UnixSecs)*1000 + int64(p.UnixNSecs)/1e6}
	m.domain = uint32(p.EngineType)<<8 | uint32(p.EngineId)
	first := b.Grow(n)
	for i := range p.Records {
		fill5(b, first+i, &m, &p.Records[i])
		b.SamplingInterval[first+i] = samplingOfHeader(p.SamplingInterval)
	}
}

// legacyRecords gives how many records a v5 or v7 datagram holds, and counts what
// its header says otherwise.
func legacyRecords(d *collector.Datagram, size int) (n int, ok bool) {
	if len(d.Payload) < legacyHeader {
		d.Tally.Drop(collector.Truncated, 1)
		return 0, false
	}
	counted := int(binary.BigEndian.Uint16(d.Payload[2:]))
	rest := len(d.Payload) - legacyHeader
	n = min(counted, rest/size, legacyMost)
	switch {
	case counted > legacyMost && rest != n*size:
		d.Tally.Drop(collector.MalformedSet, 1) // noise: no exporter writes such a header
		return 0, false
	case n < counted:
		d.Tally.Drop(collector.Truncated, 1)
	case rest > n*size:
		d.Tally.Drop(collector.TrailingBytes, 1)
	}
	return n, true
}

// samplingOfHeader reads the v5 header's sampling field: mode in the upper two
// bits, interval below; 0 where the exporter does not say.
func samplingOfHeader(v uint16) uint32 { return uint32(v & 0x3fff) }

func fill5(b *flow.Batch, row int, m *message, p *netflowlegacy.RecordsNetFlowV5) {
	b.ExportProtocol[row] = exportProtocol(m.version)
	b.ObservationDomain[row] = m.domain
	b.StartAt[row] = sinceBoot(m.exportAt, m.uptime, p.First)
	b.EndAt[row] = sinceBoot(m.exportAt, m.uptime, p.Last)
	b.SrcAddr[row], b.DstAddr[row], b.NextHop[row] = ipv4(p.SrcAddr), ipv4(p.DstAddr), ipv4(p.NextHop)
	b.IPVersion[row] = 4
	b.SrcPort[row], b.DstPort[row] = p.SrcPort, p.DstPort
	b.Protocol[row], b.TOS[row], b.TCPFlags[row] = p.Proto, p.Tos, uint16(p.TCPFlags)
	b.Packets[row], b.Bytes[row] = uint64(p.DPkts), uint64(p.DOctets)
	b.InIf[row], b.OutIf[row] = uint32(p.Input), uint32(p.Output)
	b.SrcAS[row], b.DstAS[row] = uint32(p.SrcAS), uint32(p.DstAS)
	b.SrcMask[row], b.DstMask[row] = p.SrcMask, p.DstMask
	settleKey(b, row, false)
}

func ipv4(a netflowlegacy.IPAddress) [16]byte {
	return flow.From4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// decode7 reads a NetFlow v7 datagram (Catalyst switches), which goflow2 does not
// know: v5's records, in which a word of padding is flags and four bytes more name
// the router that was bypassed. It has neither engine nor sampling.
func decode7(b *flow.Batch, d *collector.Datagram) {
	n, ok := legacyRecords(d, record7)
	if !ok {
		return
	}
	p := d.Payload
	m := message{version: version7, uptime: binary.BigEndian.Uint32(p[4:])}
	m.exportAt = int64(binary.BigEndian.Uint32(p[8:]))*1000 + int64(binary.BigEndian.Uint32(p[12:]))/1e6
	first := b.Grow(n)
	for i := range n {
		r := read7(p[legacyHeader+i*record7:])
		fill5(b, first+i, &m, &r)
	}
}

func read7(v []byte) netflowlegacy.RecordsNetFlowV5 {
	u16, u32 := binary.BigEndian.Uint16, binary.BigEndian.Uint32
	return netflowlegacy.RecordsNetFlowV5{
		SrcAddr: netflowlegacy.IPAddress(u32(v)), DstAddr: netflowlegacy.IPAddress(u32(v[4:])),
		NextHop: netflowlegacy.IPAddress(u32(v[8:])),
		Input:   u16(v[12:]), Output: u16(v[14:]),
		DPkts: u32(v[16:]), DOctets: u32(v[20:]), First: u32(v[24:]), Last: u32(v[28:]),
		SrcPort: u16(v[32:]), DstPort: u16(v[34:]),
		TCPFlags: v[37], Proto: v[38], Tos: v[39],
		SrcAS: u16(v[40:]), DstAS: u16(v[42:]), SrcMask: v[44], DstMask: v[45],
	}
}
