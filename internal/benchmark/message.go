package main

import (
	"encoding/binary"
	"net/netip"
)

// protocol is what of a message differs between NetFlow v9 (RFC 3954 §5.1) and IPFIX
// (RFC 7011 §3.1).
type protocol struct {
	version      uint16
	templateSet  uint16
	headerBytes  int
	sequenceAt   int // offset of the sequence number
	countsRecord bool
}

var (
	netflow9 = protocol{version: 9, templateSet: 0, headerBytes: 20, sequenceAt: 12}
	ipfix    = protocol{version: 10, templateSet: 2, headerBytes: 16, sequenceAt: 8, countsRecord: true}
)

// clock is when an exporter writes a message, and when it started, in Unix
// milliseconds.
type clock struct{ now, boot int64 }

// datagram is one message and its exporter.
type datagram struct {
	protocol *protocol
	exporter int
	from     netip.AddrPort
	payload  []byte
	records  int
	// recordsAt is where in the payload the first record starts.
	recordsAt int
}

// message makes a message of sets. Its sequence number is for stamp to fill.
func (p *protocol) message(at clock, domain uint32, records int, sets ...[]byte) []byte {
	b := make([]byte, p.headerBytes)
	for _, s := range sets {
		b = append(b, s...)
	}
	binary.BigEndian.PutUint16(b, p.version)
	if p.countsRecord {
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		binary.BigEndian.PutUint32(b[4:], uint32(at.now/1000))
		binary.BigEndian.PutUint32(b[12:], domain)
		return b
	}
	binary.BigEndian.PutUint16(b[2:], uint16(records))
	binary.BigEndian.PutUint32(b[4:], uint32(at.now-at.boot))
	binary.BigEndian.PutUint32(b[8:], uint32(at.now/1000))
	binary.BigEndian.PutUint32(b[16:], domain)
	return b
}

// setHeaderBytes is the length of a set's header: id and length.
const setHeaderBytes = 4

// set makes a set (flow set), padded to four bytes.
func set(id uint16, body []byte) []byte {
	padding := -len(body) & 3
	b := binary.BigEndian.AppendUint16(nil, id)
	b = binary.BigEndian.AppendUint16(b, uint16(setHeaderBytes+len(body)+padding))
	b = append(b, body...)
	return append(b, make([]byte, padding)...)
}

// sequences are where the exporters' sequence numbers are, by exporter.
type sequences []uint32

// stamp writes the next sequence number into the datagram: messages are sent again
// and again, and no loss is to be seen. NetFlow v9 counts messages, IPFIX records.
func (s sequences) stamp(d *datagram) {
	n := &s[d.exporter]
	binary.BigEndian.PutUint32(d.payload[d.protocol.sequenceAt:], *n)
	if d.protocol.countsRecord {
		*n += uint32(d.records)
	} else {
		*n++
	}
}
