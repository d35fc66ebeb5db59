package netflow

import (
	"tapwatch/collector/frame"
	"tapwatch/flow"
)

// message is what a NetFlow v9 or IPFIX header says.
type message struct {
	version uint16
	domain  uint32
	// exportAt is the export time in Unix milliseconds.
	exportAt int64
	// uptime is the router's at export, in milliseconds (NetFlow v9 alone).
	uptime    uint32
	hasUptime bool
	// first is the index of the message's first row.
	first int
}

// record is the place that writers fill: one row of a batch, and what the row has
// no column for and settle works up.
type record struct {
	b       *flow.Batch
	row     int
	session *session
	message *message

	startUptime, endUptime       uint32
	hasStartUptime, hasEndUptime bool
	initAt                       int64
	duration                     int64
	hasICMP                      bool
	hasSection                   bool
	sectionLength                int
	sampling                     sampling
}

// begin points r at a fresh row.
func (r *record) begin(row int) {
	*r = record{b: r.b, row: row, session: r.session, message: r.message}
}

// settle completes the row once all its fields are written.
func (r *record) settle() {
	b, row := r.b, r.row
	b.ObservationDomain[row] = r.message.domain
	b.ExportProtocol[row] = exportProtocol(r.message.version)
	b.SamplingInterval[row] = r.session.samplers.interval(r)
	r.settleTimes()
	settleKey(b, row, r.hasICMP)
	if r.hasSection {
		// A sampled packet is one packet; where nothing else tells its size, its IP
		// header does.
		b.Packets[row] = max(b.Packets[row], 1)
		if b.Bytes[row] == 0 {
			b.Bytes[row] = uint64(r.sectionLength)
		}
	}
}

// settleKey fills the IP version where the exporter did not say and moves ICMP
// type and code to their columns: NetFlow has them in the destination port, type
// in the upper byte.
func settleKey(b *flow.Batch, row int, hasICMP bool) {
	if b.IPVersion[row] == 0 {
		b.IPVersion[row] = max(ipVersion(b.SrcAddr[row]), ipVersion(b.DstAddr[row]))
	}
	const icmp, icmp6 = 1, 58
	if p := b.Protocol[row]; p != icmp && p != icmp6 {
		return
	}
	if port := b.DstPort[row]; !hasICMP {
		b.ICMPType[row], b.ICMPCode[row] = uint8(port>>8), uint8(port)
	}
	b.SrcPort[row], b.DstPort[row] = 0, 0
}

func ipVersion(a [16]byte) uint8 {
	switch {
	case a == [16]byte{}:
		return 0
	case flow.Addr(a).Is4():
		return 4
	}
	return 6
}

// section reads the first bytes of a sampled packet.
func (r *record) section(v []byte, kind int) {
	link := frame.Ethernet
	if kind == sectionIP {
		link = frame.IP
	}
	r.hasSection = true
	if length := r.session.frames.Decode(r.b, r.row, link, v); length > 0 {
		r.hasICMP, r.sectionLength = true, length
	}
}

// mirror makes row the way back of the biflow record from, before the reverse
// fields are written (RFC 5103 §4): ends swapped, nothing counted yet.
func mirror(b *flow.Batch, row, from int) {
	b.ObservationDomain[row] = b.ObservationDomain[from]
	b.ExportProtocol[row] = b.ExportProtocol[from]
	b.SamplingInterval[row] = b.SamplingInterval[from]
	b.SrcAddr[row], b.DstAddr[row] = b.DstAddr[from], b.SrcAddr[from]
	b.SrcPort[row], b.DstPort[row] = b.DstPort[from], b.SrcPort[from]
	b.SrcMask[row], b.DstMask[row] = b.DstMask[from], b.SrcMask[from]
	b.SrcAS[row], b.DstAS[row] = b.DstAS[from], b.SrcAS[from]
	b.SrcMAC[row], b.DstMAC[row] = b.DstMAC[from], b.SrcMAC[from]
	b.SrcVLAN[row], b.DstVLAN[row] = b.DstVLAN[from], b.SrcVLAN[from]
	b.InIf[row], b.OutIf[row] = b.OutIf[from], b.InIf[from]
	b.Protocol[row], b.IPVersion[row] = b.Protocol[from], b.IPVersion[from]
	b.EndReason[row] = b.EndReason[from]
}
