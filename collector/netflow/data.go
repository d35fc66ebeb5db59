package netflow

import (
	"iter"
	"slices"

	"tapwatch/collector"
	"tapwatch/flow"
)

// records reads the records of a data set by its template's plan; of more than room
// the rest is dropped. It gives how many there were.
func (s *session) records(b *flow.Batch, m *message, d *domain, p *plan, data []byte, room int, g *collector.Datagram) int {
	if len(p.reverse.columns) > 0 {
		room /= 2 // each may be two
	}
	n, whole := s.whole(p, data, room)
	// Padding is shorter than any record of the set (RFC 7011 §3.3.1).
	if len(data)-whole >= p.size {
		if n == room {
			g.Tally.Drop(collector.RecordLimit, max(1, (len(data)-whole)/p.size))
		} else {
			g.Tally.Drop(collector.MalformedRecord, 1)
		}
		m.unread = true
	}
	if n == 0 {
		return 0
	}
	r := &s.shared.rows
	*r = rows{b: b, n: n, message: m, domain: d}
	switch {
	case p.options:
		g.Tally.OptionsRecords += uint64(n)
		s.learnAll(r, p, data, g)
	default:
		r.first = b.Grow(n)
		s.fill(r, p, &p.forward, data)
		s.settle(r, p)
		if len(p.reverse.columns) > 0 {
			s.waysBack(r, p, data)
		}
	}
	return n
}

// whole gives how many whole records data holds, at most room, and how many bytes they
// take. What follows them is padding, or a record cut short. Of records whose length
// varies it leaves in s.shared.ends where each one ends.
func (s *session) whole(p *plan, data []byte, room int) (n, bytes int) {
	if p.fixed {
		n = min(len(data)/p.size, room)
		return n, n * p.size
	}
	ends := s.shared.ends[:0]
	for len(data)-bytes >= p.size && len(ends) < room {
		next := p.skip(data, bytes)
		if next > len(data) {
			break
		}
		bytes = next
		ends = append(ends, int32(bytes))
	}
	s.shared.ends = ends
	return len(ends), bytes
}

// skip gives where the record that begins at data[at] ends; beyond the data if it does
// not fit.
func (p *plan) skip(data []byte, at int) int {
	for _, length := range p.lengths {
		_, at = field(data, at, length)
	}
	return at
}

// field gives where the field of that length at data[at] begins and ends; it ends
// beyond the data if it does not fit. A variable length is one byte, or 255 and two
// more (RFC 7011 §7).
func field(data []byte, at int, length uint16) (from, to int) {
	switch {
	case length != variable:
		return at, at + int(length)
	case at < len(data) && data[at] != 0xff:
		return at + 1, at + 1 + int(data[at])
	case at+3 <= len(data):
		return at + 3, at + 3 + int(data[at+1])<<8 + int(data[at+2])
	}
	return at, len(data) + 1
}

// fill follows directions for all rows of r: by columns where the records have one
// length, else record by record.
func (s *session) fill(r *rows, p *plan, d *directions, data []byte) {
	if p.tellsSampler {
		s.shared.samplers = slices.Grow(s.shared.samplers[:0], r.n)[:r.n]
		r.samplers = s.shared.samplers
		clear(r.samplers)
	}
	if p.fixed {
		r.fillColumns(d.columns, data, p.size)
		if len(d.notes) == 0 {
			return
		}
	}
	for i, record := range s.split(r.n, p, data) {
		one := &s.shared.one
		*one = rows{b: r.b, first: r.first + i, n: 1, message: r.message, domain: r.domain}
		if r.samplers != nil {
			one.samplers = r.samplers[i:]
		}
		layout := s.shared.layout(p, record)
		if !p.fixed {
			one.fill(d.columns, record, layout)
		}
		s.shared.note(one, d.notes, record, layout)
	}
}

// split gives the n records of data, which whole has measured.
func (s *session) split(n int, p *plan, data []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		begin := 0
		for i := range n {
			end := begin + p.size
			if !p.fixed {
				end = int(s.shared.ends[i])
			}
			if !yield(i, data[begin:end]) {
				return
			}
			begin = end
		}
	}
}

// span is where a field of a record is.
type span struct{ from, to int }

// layout finds the fields of a record by their index; nil for a fixed plan, whose
// places have offsets.
func (sh *shared) layout(p *plan, record []byte) []span {
	if p.fixed {
		return nil
	}
	sh.spans = sh.spans[:0]
	at := 0
	for _, length := range p.lengths {
		from, to := field(record, at, length)
		sh.spans = append(sh.spans, span{from, to})
		at = to
	}
	return sh.spans
}

// of gives the field's bytes in a record with that layout.
func (at *place) of(record []byte, layout []span) []byte {
	if layout == nil {
		return record[at.offset:][:at.length]
	}
	l := layout[at.index]
	return record[l.from:l.to]
}

// fill fills the one row of r.
func (r *rows) fill(steps []step, record []byte, layout []span) {
	for i := range steps {
		if v := steps[i].of(record, layout); len(v) > 0 {
			steps[i].fill(r, v, 0, len(v))
		}
	}
}

// note takes what the one row of r says by several elements together.
func (sh *shared) note(r *rows, notes []note, record []byte, layout []span) {
	if len(notes) == 0 {
		return
	}
	sh.record.begin(r)
	for i := range notes {
		if v := notes[i].of(record, layout); len(v) > 0 {
			notes[i].take(&sh.record, v)
		}
	}
	sh.record.settle()
	if sh.record.initAt != 0 {
		sh.initAt = sh.record.initAt
	}
}

// settle completes the rows once all their fields are read.
func (s *session) settle(r *rows, p *plan) {
	b, last := r.b, r.first+r.n
	protocol := exportProtocol(r.message.version)
	for row := r.first; row < last; row++ {
		b.ObservationDomain[row] = r.message.id
		b.ExportProtocol[row] = protocol
	}
	r.domain.samplers.settle(r, p.tellsSampler)
	if p.allIPv4 {
		for row := r.first; row < last; row++ {
			b.IPVersion[row] = 4
		}
	} else {
		settleVersion(b, r.first, last)
	}
	settleICMP(b, r.first, last, p.tellsICMP)
}

// settleVersion fills the IP version where the exporter did not say.
func settleVersion(b *flow.Batch, first, last int) {
	for row := first; row < last; row++ {
		if b.IPVersion[row] == 0 {
			b.IPVersion[row] = max(ipVersion(&b.SrcAddr[row]), ipVersion(&b.DstAddr[row]))
		}
	}
}

// ipVersion is 4 or 6; 0 for no address.
func ipVersion(a *[16]byte) uint8 {
	switch {
	case *a == [16]byte{}:
		return 0
	case [12]byte(a[:12]) == [12]byte{10: 0xff, 11: 0xff}:
		return 4
	}
	return 6
}

// settleICMP moves type and code of ICMP to their columns where the exporter has not
// said them apart: NetFlow has them in the destination port, type in the upper byte.
func settleICMP(b *flow.Batch, first, last int, told bool) {
	for row, protocol := range b.Protocol[first:last] {
		if protocol != flow.ProtocolICMP && protocol != flow.ProtocolICMPv6 {
			continue
		}
		row += first
		if port := b.DstPort[row]; !told && port != 0 {
			b.ICMPType[row], b.ICMPCode[row] = uint8(port>>8), uint8(port)
		}
		b.SrcPort[row], b.DstPort[row] = 0, 0
	}
}

// waysBack appends the reverse records of biflows, of those of which anything went that
// way.
func (s *session) waysBack(r *rows, p *plan, data []byte) {
	back := &s.shared.one
	*back = rows{b: r.b, n: 1, message: r.message, domain: r.domain}
	for i, record := range s.split(r.n, p, data) {
		layout := s.shared.layout(p, record)
		if !p.reverse.count(record, layout) {
			continue
		}
		from := r.first + i
		back.first = r.b.Grow(1)
		mirror(r.b, back.first, from)
		back.fill(p.reverse.columns, record, layout)
		s.shared.note(back, p.reverse.notes, record, layout)
		if r.b.StartAt[back.first] == 0 {
			r.b.StartAt[back.first] = r.b.StartAt[from]
		}
		if r.b.EndAt[back.first] == 0 {
			r.b.EndAt[back.first] = r.b.EndAt[from]
		}
	}
}

// count says whether the fields that count bytes and packets count any.
func (d *directions) count(record []byte, layout []span) bool {
	for i := range d.counts {
		for _, c := range d.counts[i].of(record, layout) {
			if c != 0 {
				return true
			}
		}
	}
	return false
}

// mirror makes row the way back of the biflow record from, before the reverse
// fields are read (RFC 5103 §4): ends swapped, nothing counted yet. What a translator
// made of the ends is told by the record of the way forth.
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
	b.InVRF[row], b.OutVRF[row] = b.OutVRF[from], b.InVRF[from]
	b.Protocol[row], b.IPVersion[row] = b.Protocol[from], b.IPVersion[from]
	b.EndReason[row] = b.EndReason[from]
}
