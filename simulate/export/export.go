// Package export encodes flow records the way routers do: NetFlow v5, NetFlow v9
// (RFC 3954), IPFIX (RFC 7011) and sFlow v5 (sflow.org, "sFlow Version 5").
//
// An Encoder holds what a router holds: sequence numbers, template timers, the
// datagram being filled. It reads no clock; every time comes with a record or a
// call. It is not safe for concurrent use.
package export

import (
	"fmt"
	"net/netip"
	"time"

	"tapwatch/flow"
)

// Record is one flow record as a router measured it. Times are Unix milliseconds;
// Bytes and Packets count the sampled packets, before multiplication.
type Record struct {
	// ExportedAt is when the router hands the record to its exporter.
	ExportedAt, StartAt, EndAt int64

	Src, Dst netip.Addr
	// NextHop is the next router's address, zero where the flow ends here.
	NextHop            netip.Addr
	SrcPort, DstPort   uint16
	Protocol           uint8
	TCPFlags           uint8
	TOS                uint8
	ICMPType, ICMPCode uint8
	// Direction is flow.DirectionIngress or flow.DirectionEgress.
	Direction uint8
	// EndReason is IPFIX element 136: 1 idle, 2 active timeout, 3 end of flow.
	EndReason        uint8
	Bytes, Packets   uint64
	InIf, OutIf      uint32
	VLAN             uint16
	SrcAS, DstAS     uint32
	SrcMask, DstMask uint8
}

// Emit takes a finished datagram, which is valid until it returns.
type Emit func(datagram []byte) error

// Encoder turns records into datagrams.
type Encoder interface {
	// Add encodes r, whose ExportedAt must not be before that of the record before.
	// The datagrams it completes go to emit, whose error it returns.
	Add(r *Record, emit Emit) error
	// Flush completes the pending datagram at the time now (Unix milliseconds), and
	// sends what else is due by then.
	Flush(now int64, emit Emit) error
	// Resample changes the sampling interval, as an operator does while the router
	// runs: from the next datagram on, which should be flushed before, the router says
	// the new one.
	Resample(interval uint32) error
}

// Options are what an encoder needs to know of its router.
type Options struct {
	// Protocol is flow.ExportNetFlow5, ExportNetFlow9, ExportIPFIX or ExportSFlow5.
	Protocol int8
	// Agent is the router's IPv4 address, which sFlow writes into its datagrams.
	Agent netip.Addr
	// Domain is the NetFlow v9 source id, the IPFIX observation domain, the sFlow
	// sub-agent; its low 16 bits are the NetFlow v5 engine type and id.
	Domain uint32
	// AS is the autonomous system of the router, which sFlow tells.
	AS uint32
	// Sampling is one of how many packets the router samples; at least 1.
	Sampling uint32
	// Boot is when the router started, in Unix milliseconds: 0 of its uptime.
	Boot int64
	// MaxDatagram is the most bytes of a UDP payload.
	MaxDatagram int
	// RefreshInterval is how often templates, options data and counters are sent
	// again.
	RefreshInterval time.Duration
}

// The limits of Options.MaxDatagram: every protocol fits a datagram of the least
// size, and no UDP payload over IPv4 is longer than the most.
const (
	minDatagram = 512
	maxDatagram = 65507
)

// resample sets the interval, which every protocol says in its own way.
func (o *Options) resample(interval uint32) error {
	if interval == 0 {
		return fmt.Errorf("export: sampling must be at least 1")
	}
	o.Sampling = interval
	return nil
}

// New makes the encoder that o.Protocol asks for.
func New(o Options) (Encoder, error) {
	switch {
	case o.Sampling == 0:
		return nil, fmt.Errorf("export: sampling must be at least 1")
	case o.MaxDatagram < minDatagram || o.MaxDatagram > maxDatagram:
		return nil, fmt.Errorf("export: datagrams of %d bytes: must be %d to %d", o.MaxDatagram, minDatagram, maxDatagram)
	case o.RefreshInterval <= 0:
		return nil, fmt.Errorf("export: refresh interval %s: must be positive", o.RefreshInterval)
	}
	switch o.Protocol {
	case flow.ExportNetFlow5:
		return newNetFlow5(o)
	case flow.ExportNetFlow9, flow.ExportIPFIX:
		return newTemplated(o), nil
	case flow.ExportSFlow5:
		return newSFlow(o)
	default:
		return nil, fmt.Errorf("export: no encoder for export protocol %d", o.Protocol)
	}
}

// uptime is the router's uptime in milliseconds at a time. It wraps after 49.7
// days, as the 32 bits of the protocols do.
func (o *Options) uptime(at int64) uint32 { return uint32(at - o.Boot) }

// due tells whether a refresh last done at last (0: never) is due at now.
func (o *Options) due(last, now int64) bool {
	return last == 0 || now-last >= o.RefreshInterval.Milliseconds()
}
