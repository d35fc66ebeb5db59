package main

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// ringExporters is how many routers send the datagrams of a ring, and ringDatagrams
// how many there are: 1000 of each router.
const (
	ringExporters = 8
	ringDatagrams = 8000
	templateID    = 256
)

// ring is a list of datagrams that is sent again and again. The first of each
// exporter carries its template besides the records.
type ring struct {
	datagrams []datagram
	records   int

	traffic     *traffic
	recordBytes int
}

// redraw gives every record of uniform traffic two other addresses, so that none comes
// a second time. They are the first fields of the layouts.
func (r *ring) redraw() {
	if !r.traffic.uniform {
		return
	}
	for i := range r.datagrams {
		d := &r.datagrams[i]
		for k := range d.records {
			addresses := d.payload[d.recordsAt+k*r.recordBytes:]
			binary.BigEndian.PutUint32(addresses, r.traffic.public())
			binary.BigEndian.PutUint32(addresses[4:], r.traffic.public())
		}
	}
}

// The kinds of rings.
const (
	recordsV9    = 24 // a datagram: fills an Ethernet frame
	recordsIPFIX = 4  // a datagram: a router that sends at once
)

func ringV9(uniform bool) *ring {
	at := clockNow()
	return newRing(&netflow9, layoutV9(at.boot), at, recordsV9, uniform)
}

func ringIPFIX() *ring {
	return newRing(&ipfix, layoutIPFIX(), clockNow(), recordsIPFIX, false)
}

// clockNow is that of a router that started a day ago.
func clockNow() clock {
	now := time.Now().UnixMilli()
	return clock{now: now, boot: now - 24*time.Hour.Milliseconds()}
}

func newRing(p *protocol, l layout, at clock, records int, uniform bool) *ring {
	t := newTraffic(1, at.now, uniform)
	r := &ring{traffic: t, recordBytes: l.recordBytes()}
	template := set(p.templateSet, l.appendTemplate(nil, templateID))
	for i := range ringDatagrams {
		d := datagram{protocol: p, exporter: i % ringExporters, records: records}
		d.from = netip.AddrPortFrom(exporterAddr(d.exporter), 40000)
		var body []byte
		for range records {
			body = l.appendRecord(body, t.record())
		}
		sets := [][]byte{set(templateID, body)}
		counted := records
		d.recordsAt = p.headerBytes + setHeaderBytes
		if i < ringExporters {
			sets = slices.Insert(sets, 0, template)
			counted++
			d.recordsAt += len(template)
		}
		d.payload = p.message(at, uint32(d.exporter), counted, sets...)
		r.datagrams = append(r.datagrams, d)
		r.records += records
	}
	return r
}

// exporterAddr is where an exporter of a ring sends from.
func exporterAddr(exporter int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 0, 0, byte(11 + exporter)})
}
