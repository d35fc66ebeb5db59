package netflow

import (
	"tapwatch/collector/frame"
	"tapwatch/flow"
)

// record is what one record says by several elements together, or what is too rare to
// be read by columns. The zero record is ready for use.
type record struct {
	*rows
	row int

	initAt                       int64 // when the router started, in Unix milliseconds
	startUptime, endUptime       uint32
	hasStartUptime, hasEndUptime bool
	duration                     int64 // milliseconds
	selection                    selection
	hasSection                   bool
	sectionLength                int

	frames frame.Decoder
	// packet is the one row that a sampled packet is read into.
	packet flow.Batch
}

// begin points r at the one row of of.
func (r *record) begin(of *rows) {
	r.rows, r.row = of, of.first
	r.initAt, r.duration = 0, 0
	r.hasStartUptime, r.hasEndUptime = false, false
	r.selection = selection{}
	r.hasSection, r.sectionLength = false, 0
}

// settle completes the row.
func (r *record) settle() {
	r.settleTimes()
	if interval := &r.b.SamplingInterval[r.row]; *interval == 0 {
		*interval = r.selection.oneOf()
	}
	if r.hasSection {
		// A sampled packet is one packet; where nothing else tells its size, its IP
		// header does.
		r.b.Packets[r.row] = max(r.b.Packets[r.row], 1)
		if r.b.Bytes[r.row] == 0 {
			r.b.Bytes[r.row] = uint64(r.sectionLength)
		}
	}
}

// Sections of a sampled packet.
const (
	sectionFrame = iota
	sectionIP
)

// section reads the first bytes of a sampled packet. What the record's own fields say
// stays: they are about the flow, and the section may be cut before it comes there.
func (r *record) section(v []byte, kind int) {
	link := frame.Ethernet
	if kind == sectionIP {
		link = frame.IP
	}
	r.packet.Reset()
	r.packet.Grow(1)
	r.hasSection = true
	r.sectionLength = max(r.sectionLength, r.frames.Decode(&r.packet, 0, link, v))
	r.b.Complete(r.row, &r.packet, 0)
}
