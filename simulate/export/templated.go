package export

import (
	"encoding/binary"
	"slices"

	"tapwatch/flow"
)

// Template ids of the sets, and the id of the one sampler.
const (
	template4       = 256
	template6       = 257
	templateOptions = 258
	samplerID       = 1
)

// setHeaderBytes is the length of a set's (flow set's) header: id and length.
const setHeaderBytes = 4

// templated encodes NetFlow v9 and IPFIX, which share their layout: a message of
// sets, of which some describe the others. Templates and the sampling rate as
// options data lead the first message, and again one after each refresh interval.
type templated struct {
	Options
	ipfix            bool
	fields4, fields6 []field
	// preamble is the template sets and the options data set.
	preamble []byte

	body4, body6    []byte // records of the pending message
	count4, count6  int
	withPreamble    bool
	refreshedAt     int64
	sequence        uint32
	buf             []byte
	headerBytes     int
	preambleRecords int // what the v9 header counts of the preamble
}

func newTemplated(o Options) *templated {
	e := &templated{Options: o, ipfix: o.Protocol == flow.ExportIPFIX}
	own := fieldsV9()
	e.headerBytes, e.preambleRecords = 20, 4 // two templates, an options template, an options record
	if e.ipfix {
		own = fieldsIPFIX()
		e.headerBytes = 16
	}
	e.fields4 = slices.Concat(fields4(), fieldsBoth(), own)
	e.fields6 = slices.Concat(fields6(), fieldsBoth(), own)
	e.preamble = e.makePreamble()
	return e
}

func (e *templated) Add(r *Record, emit Emit) error {
	fields, body, count := e.fields4, &e.body4, &e.count4
	if r.Src.Is6() {
		fields, body, count = e.fields6, &e.body6, &e.count6
	}
	if e.length()+recordBytes(fields)+2*(setHeaderBytes+3) > e.MaxDatagram {
		if err := e.Flush(r.ExportedAt, emit); err != nil {
			return err
		}
	}
	if e.count4+e.count6 == 0 {
		e.withPreamble = e.due(e.refreshedAt, r.ExportedAt)
	}
	for i := range fields {
		*body = fields[i].put(*body, r, &e.Options)
	}
	*count++
	return nil
}

func (e *templated) Resample(interval uint32) error {
	if err := e.resample(interval); err != nil {
		return err
	}
	e.preamble, e.refreshedAt = e.makePreamble(), 0
	return nil
}

// length is that of the pending message, without set headers and padding.
func (e *templated) length() int {
	n := e.headerBytes + len(e.body4) + len(e.body6)
	if e.withPreamble {
		n += len(e.preamble)
	}
	return n
}

func (e *templated) Flush(now int64, emit Emit) error {
	if e.count4+e.count6 == 0 {
		if !e.due(e.refreshedAt, now) {
			return nil
		}
		e.withPreamble = true
	}
	b := append(e.buf[:0], make([]byte, e.headerBytes)...)
	if e.withPreamble {
		b = append(b, e.preamble...)
		e.refreshedAt = now
	}
	b = appendSet(b, template4, e.body4)
	b = appendSet(b, template6, e.body6)
	e.putHeader(b, now)
	e.buf, e.body4, e.body6 = b, e.body4[:0], e.body6[:0]
	e.count4, e.count6, e.withPreamble = 0, 0, false
	return emit(b)
}

// putHeader writes the header into the first bytes of the message and moves the
// sequence number on. In NetFlow v9 it counts messages (RFC 3954 §5.1), in IPFIX
// the data records, options data included, sent before (RFC 7011 §3.1).
func (e *templated) putHeader(message []byte, now int64) {
	records := e.count4 + e.count6
	h := message[:0]
	if e.ipfix {
		h = binary.BigEndian.AppendUint16(h, 10)
		h = binary.BigEndian.AppendUint16(h, uint16(len(message)))
		h = binary.BigEndian.AppendUint32(h, uint32(now/1000))
		h = binary.BigEndian.AppendUint32(h, e.sequence)
		binary.BigEndian.AppendUint32(h, e.Domain)
		e.sequence += uint32(records)
		if e.withPreamble {
			e.sequence++
		}
		return
	}
	if e.withPreamble {
		records += e.preambleRecords
	}
	h = binary.BigEndian.AppendUint16(h, 9)
	h = binary.BigEndian.AppendUint16(h, uint16(records))
	h = binary.BigEndian.AppendUint32(h, e.uptime(now))
	h = binary.BigEndian.AppendUint32(h, uint32(now/1000))
	h = binary.BigEndian.AppendUint32(h, e.sequence)
	binary.BigEndian.AppendUint32(h, e.Domain)
	e.sequence++
}

func recordBytes(fields []field) int {
	n := 0
	for i := range fields {
		n += int(fields[i].length)
	}
	return n
}

// appendSet appends a set padded to four bytes, or nothing for an empty body.
func appendSet(b []byte, id uint16, body []byte) []byte {
	if len(body) == 0 {
		return b
	}
	padding := -len(body) & 3
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, uint16(setHeaderBytes+len(body)+padding))
	b = append(b, body...)
	return append(b, make([]byte, padding)...)
}
