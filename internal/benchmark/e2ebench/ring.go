package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/benchmark/carrier"
	"tapwatch/simulate"
	"tapwatch/simulate/export"
)

// ring is a list of NetFlow v9 datagrams of the carrier's routers, which are sent again
// and again. The first of each router carries its templates and its sampling too.
type ring struct {
	routers   []simulate.Router
	datagrams []datagram
	records   int
}

type datagram struct {
	router, records int
	payload         []byte
}

// Where the header of NetFlow v9 (RFC 3954 §5.1) has what is written anew at every
// sending.
const (
	secondsAt  = 8
	sequenceAt = 12
)

// datagramBytes fits an Ethernet frame.
const datagramBytes = 1400

// newRing makes a ring of the busiest hour: so many records, or a few less. All
// routers speak NetFlow v9 here, whose times count from the header's: so a datagram that
// is sent later tells of flows that were later.
func newRing(records int, rate float64) (*ring, error) {
	start := carrier.Until.Add(-time.Hour)
	network, err := carrier.Network(start, rate)
	if err != nil {
		return nil, err
	}
	m := &maker{ring: ring{routers: network.Routers()}, at: start.UnixMilli()}
	m.pending = make([]int, len(m.routers))
	for i, r := range m.routers {
		e, err := export.New(export.Options{
			Protocol: flow.ExportNetFlow9, Agent: r.Address, Domain: uint32(i + 1), Sampling: r.Sampling,
			Boot: start.Add(-10 * 24 * time.Hour).UnixMilli(), MaxDatagram: datagramBytes, RefreshInterval: time.Hour,
		})
		if err != nil {
			return nil, fmt.Errorf("router %s: %w", r.Name, err)
		}
		m.encoders = append(m.encoders, e)
	}
	for r := range network.Records(start, time.Time{}) {
		if err := m.add(&r); err != nil {
			return nil, err
		}
		if m.ring.records+m.waiting >= records {
			break
		}
	}
	for i := range m.encoders {
		if err := m.encoders[i].Flush(m.at, m.emit(i)); err != nil {
			return nil, err
		}
	}
	return &m.ring, nil
}

// maker fills a ring.
type maker struct {
	ring
	encoders []export.Encoder
	pending  []int // records in the datagram that a router fills
	waiting  int   // in all of these
	at       int64 // when everything is exported
}

// add moves the record to where it is exported at the one time of all headers, and
// encodes it.
func (m *maker) add(r *simulate.Record) error {
	later := m.at - r.ExportedAt
	r.ExportedAt, r.StartAt, r.EndAt = m.at, r.StartAt+later, r.EndAt+later
	if err := m.encoders[r.Router].Add(&r.Record, m.emit(r.Router)); err != nil {
		return err
	}
	m.pending[r.Router]++
	m.waiting++
	return nil
}

// emit takes a datagram, with all records that were pending before the latest.
func (m *maker) emit(router int) export.Emit {
	return func(payload []byte) error {
		n := m.pending[router]
		m.pending[router] = 0
		m.waiting -= n
		m.ring.records += n
		m.datagrams = append(m.datagrams, datagram{router, n, append([]byte(nil), payload...)})
		return nil
	}
}

// stamp writes the time and the router's next sequence number into the datagram.
func (d *datagram) stamp(sequences []uint32, now time.Time) {
	binary.BigEndian.PutUint32(d.payload[secondsAt:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(d.payload[sequenceAt:], sequences[d.router])
	sequences[d.router]++
}

// from is where a router sends from.
func (r *ring) from(router int) netip.AddrPort {
	return netip.AddrPortFrom(r.routers[router].Address, 0)
}
