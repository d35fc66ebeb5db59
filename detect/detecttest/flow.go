// Package detecttest is what every detector must pass, and what its tests are made
// of: flows in short notation, a Stage that stores and detects them, and Run, the
// suite. Only tests import it.
package detecttest

import (
	"net/netip"
	"testing"
	"time"

	"tapwatch/flow"
)

// start is when the traffic of tests begins.
var start = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC) // a Wednesday

// At is a moment of the tests' time: d after its beginning, Wednesday 2026-11-18
// 10:00 UTC.
func At(d time.Duration) time.Time { return start.Add(d) }

// TCP flags, for Flow.Flags.
const (
	FIN = 1
	SYN = 2
	RST = 4
	PSH = 8
	ACK = 16
	// Session are the flags of one direction of a whole TCP connection.
	Session = FIN | SYN | PSH | ACK
)

// Flow is one flow record. The zero values of Exporter, Sampling, Packets and Bytes
// stand for 10.30.0.1, 1, 10 and 100 bytes a packet; a negative Sampling for "not
// said".
type Flow struct {
	At       time.Time
	Begin    time.Time // start_at; zero: the exporter does not say
	Exporter string
	Src, Dst string
	SrcPort  uint16
	DstPort  uint16
	Protocol uint8 // zero: TCP
	Flags    uint16
	ICMPType uint8
	Packets  uint64
	Bytes    uint64
	Sampling int
	Egress   bool // observed where it leaves the router
	InIf     uint32
}

// Back is the record of the other direction, with as many packets of so many bytes.
func (f Flow) Back(packets, bytes uint64) Flow {
	f.Src, f.Dst, f.SrcPort, f.DstPort = f.Dst, f.Src, f.DstPort, f.SrcPort
	f.Packets, f.Bytes = packets, bytes
	return f
}

// Later is the record, d later by all clocks.
func (f Flow) Later(d time.Duration) Flow {
	f.At = f.At.Add(d)
	if !f.Begin.IsZero() {
		f.Begin = f.Begin.Add(d)
	}
	return f
}

// Received is the record, received at that time.
func (f Flow) Received(at time.Time) Flow {
	f.At = at
	return f
}

// With is the record with those TCP flags.
func (f Flow) With(flags uint16) Flow {
	f.Flags = flags
	return f
}

// Begun is the record of a flow that began then, by the exporter's clock.
func (f Flow) Begun(at time.Time) Flow {
	f.Begin = at
	return f
}

// Place is where an address is in the world, and on which list.
type Place struct {
	Country string
	ASN     uint32
	ASOrg   string
	Intel   string
}

// places are the addresses outside that tests use.
var places = map[string]Place{
	"203.0.113.66":  {"RU", 64500, "Example Hosting", ""},
	"203.0.113.67":  {"RU", 64500, "Example Hosting", ""},
	"198.51.100.13": {"NL", 64501, "Example VPS", "apt:198.51.100.0/28"},
	"198.51.100.14": {"NL", 64501, "Example VPS", "apt:198.51.100.0/28"},
	"192.0.2.70":    {"DE", 64502, "Example Agency", ""},
}

// Batch makes a batch of the records, without zones.
func Batch(t testing.TB, flows ...Flow) *flow.Batch {
	t.Helper()
	b := new(flow.Batch)
	b.Grow(len(flows))
	for i, f := range flows {
		fill(t, b, i, f)
	}
	return b
}

func fill(t testing.TB, b *flow.Batch, i int, f Flow) {
	b.ReceivedAt[i] = f.At.UnixMilli()
	if !f.Begin.IsZero() {
		b.StartAt[i] = f.Begin.UnixMilli()
	}
	b.Exporter[i] = address(t, orDefault(f.Exporter, "10.30.0.1"))
	b.SrcAddr[i], b.DstAddr[i] = address(t, f.Src), address(t, f.Dst)
	b.SrcPort[i], b.DstPort[i] = f.SrcPort, f.DstPort
	b.Protocol[i] = orDefault(f.Protocol, flow.ProtocolTCP)
	b.IPVersion[i] = 4
	b.TCPFlags[i], b.ICMPType[i] = f.Flags, f.ICMPType
	b.Packets[i] = orDefault(f.Packets, 10)
	b.Bytes[i] = orDefault(f.Bytes, 100*b.Packets[i])
	b.SamplingInterval[i] = uint32(max(0, orDefault(f.Sampling, 1)))
	b.InIf[i] = f.InIf
	b.Direction[i] = flow.DirectionIngress
	if f.Egress {
		b.Direction[i] = flow.DirectionEgress
	}
	src, dst := places[f.Src], places[f.Dst]
	b.SrcCountry[i], b.SrcASN[i], b.SrcASOrg[i], b.SrcIntel[i] = src.Country, src.ASN, src.ASOrg, src.Intel
	b.DstCountry[i], b.DstASN[i], b.DstASOrg[i], b.DstIntel[i] = dst.Country, dst.ASN, dst.ASOrg, dst.Intel
}

func orDefault[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}

func address(t testing.TB, text string) [16]byte {
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatalf("a test's address: %v", err)
	}
	return flow.FromAddr(a)
}
