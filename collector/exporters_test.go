package collector

import (
	"net/netip"
	"testing"
	"time"

	"tapwatch/flow"
)

// listOf is an inventory that lists addresses, with the sampling it expects.
type listOf map[netip.Addr]uint32

// Version changes with every question: the tests change the list.
func (l listOf) Version() any { return new(int) }

func (l listOf) Exporter(a netip.Addr) (uint32, bool) { sampling, ok := l[a]; return sampling, ok }

func addr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func port(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 2055) }

// stub is a protocol whose datagrams begin with r; each further byte is a record
// with that sampling interval.
type stub struct{}

func (stub) Name() string                        { return "stub" }
func (stub) Match(payload []byte) bool           { return payload[0] == 'r' }
func (stub) Sessions(Limits) func() Session      { return func() Session { return stub{} } }
func (stub) Size() Size                          { return Size{} }
func (stub) Expire(time.Time, *Tally)            {}
func (stub) SamplingIntervals() []uint32         { return nil }
func (stub) State() ([]byte, error)              { return nil, nil }
func (stub) Restore(_ []byte, _ *Datagram) error { return nil }

func (stub) Decode(b *flow.Batch, d *Datagram) int8 {
	for _, n := range d.Payload[1:] {
		row := b.Grow(1)
		b.SamplingInterval[row] = uint32(n)
	}
	return flow.ExportNetFlow9
}

func newStubDecoder(max int, mode string, inventory Exporters) *Decoder {
	cfg := DefaultConfig()
	cfg.Name = "test"
	cfg.Exporters = mode
	cfg.Limits.MaxExporters = max
	return NewDecoder(cfg, []Protocol{stub{}}, inventory)
}

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// TestFloodOfAddresses: a flood from made-up addresses neither grows the table nor
// costs an exporter that sends flows its place.
func TestFloodOfAddresses(t *testing.T) {
	d := newStubDecoder(10, ExportersAny, listOf{addr(1): 0})
	var b flow.Batch
	send := func(n int, payload string) { d.Datagram(&b, port(addr(n)), start, []byte(payload)) }
	for n := 2; n < 11; n++ {
		send(n, "r\x01")
	}
	for n := range 100_000 {
		send(1000+n, "nonsense")
	}
	send(1, "r\x01") // listed, and the last to come
	if got := len(d.table.byAddr); got != 11 {
		t.Errorf("%d exporters known", got)
	}
	for n := 1; n < 11; n++ {
		if d.table.byAddr[addr(n)] == nil {
			t.Errorf("exporter %d lost its place", n)
		}
	}
	if total := d.Total(); total.Dropped[UnknownVersion] != 100_000 {
		t.Errorf("dropped %v", total.ByReason())
	}
	if got := sumDropped(d.Health(start), "unknown_version"); got != 100_000 {
		t.Errorf("health counts %d of them", got)
	}
}

func sumDropped(rows []flow.Health, reason string) (n uint64) {
	for _, h := range rows {
		n += h.Dropped[reason]
	}
	return n
}

// TestFullTable: active exporters give way only when they have been idle.
func TestFullTable(t *testing.T) {
	d := newStubDecoder(2, ExportersAny, nil)
	var b flow.Batch
	d.Datagram(&b, port(addr(1)), start, []byte("r\x01"))
	d.Datagram(&b, port(addr(2)), start, []byte("r\x01"))
	d.Datagram(&b, port(addr(3)), start, []byte("r\x01"))
	if total := d.Total(); total.Dropped[ExporterLimit] != 1 || b.Len() != 2 {
		t.Errorf("%d records, dropped %v", b.Len(), total.ByReason())
	}
	later := start.Add(idleAfter + time.Second)
	d.Datagram(&b, port(addr(2)), later, []byte("r\x01"))
	d.Datagram(&b, port(addr(3)), later, []byte("r\x01"))
	if d.table.byAddr[addr(1)] != nil || d.table.byAddr[addr(3)] == nil || b.Len() != 4 {
		t.Errorf("%d records; the idle exporter did not give way", b.Len())
	}
}

func TestListedOnly(t *testing.T) {
	d := newStubDecoder(10, ExportersListed, listOf{addr(1): 0})
	var b flow.Batch
	d.Datagram(&b, port(addr(2)), start, []byte("r\x01"))
	d.Datagram(&b, netip.MustParseAddrPort("[::ffff:10.0.0.1]:9"), start, []byte("r\x01"))
	if b.Len() != 1 || flow.Addr(b.Exporter[0]) != addr(1) || b.ReceivedAt[0] != start.UnixMilli() {
		t.Errorf("%d records", b.Len())
	}
	rows := d.Health(start.Add(time.Minute))
	if len(rows) != 2 || rows[1].Dropped["refused"] != 1 || rows[1].Datagrams != 1 || rows[0].Dropped != nil {
		t.Errorf("health %+v", rows)
	}
}

// TestExpectedSampling: what the inventory expects stands in for what the exporter
// has not said, and what nobody says is counted.
func TestExpectedSampling(t *testing.T) {
	d := newStubDecoder(10, ExportersAny, listOf{addr(1): 1000})
	var b flow.Batch
	d.Datagram(&b, port(addr(1)), start, []byte("r\x00\x07"))
	d.Datagram(&b, port(addr(2)), start, []byte("r\x00"))
	if b.SamplingInterval[0] != 1000 || b.SamplingInterval[1] != 7 || b.SamplingInterval[2] != 0 {
		t.Errorf("intervals %v", b.SamplingInterval)
	}
	rows := d.Health(start)
	if got := rows[0]; got.UnsampledRecords != 0 || len(got.SamplingIntervals) != 1 || got.SamplingIntervals[0] != 7 ||
		got.Records != 2 || got.Collector != "test" || got.ExportProtocols[0] != "netflow9" || !got.LastReceivedAt.Equal(start) {
		t.Errorf("health %+v", got)
	}
	if rows[1].UnsampledRecords != 1 {
		t.Errorf("health %+v", rows[1])
	}
	for _, h := range d.Health(start.Add(time.Minute)) {
		if h.Records != 0 || h.Datagrams != 0 {
			t.Errorf("counted twice: %+v", h)
		}
	}
}

func TestMergeRest(t *testing.T) {
	rest := func(n uint64) flow.Health {
		return flow.Health{Exporter: netip.IPv6Unspecified(), Datagrams: n, Dropped: map[string]uint64{"queue_full": n}}
	}
	rows := mergeRest([]flow.Health{{Exporter: addr(2)}, rest(1), {Exporter: addr(1)}, rest(2)})
	if len(rows) != 3 || rows[2].Datagrams != 3 || rows[2].Dropped["queue_full"] != 3 || rows[0].Exporter != addr(1) {
		t.Errorf("%+v", rows)
	}
}

func TestDroppedOutside(t *testing.T) {
	d := newStubDecoder(10, ExportersAny, nil)
	var b flow.Batch
	d.Datagram(&b, port(addr(1)), start, []byte("r\x01"))
	d.Dropped(addr(1), QueueFull, 2)
	d.Dropped(addr(9), QueueFull, 3)
	rows := d.Health(start)
	if len(rows) != 2 || rows[0].Dropped["queue_full"] != 2 || rows[1].Exporter != netip.IPv6Unspecified() || rows[1].Dropped["queue_full"] != 3 {
		t.Errorf("%+v", rows)
	}
}

// TestOpenConnectionsKeepTheirPlace: an exporter that is idle gives way, but not one
// with an open connection.
func TestOpenConnectionsKeepTheirPlace(t *testing.T) {
	d := newStubDecoder(2, ExportersAny, nil)
	var b flow.Batch
	d.Message(&b, 7, port(addr(1)), start, []byte("r\x01"))
	d.Datagram(&b, port(addr(2)), start, []byte("r\x01"))
	later := start.Add(time.Hour)
	d.Datagram(&b, port(addr(3)), later, []byte("r\x01"))
	if d.table.byAddr[addr(1)] == nil || d.table.byAddr[addr(2)] != nil || b.Len() != 3 {
		t.Fatalf("%d exporters, %d records", len(d.table.byAddr), b.Len())
	}
	d.End(7, addr(1))
	d.Datagram(&b, port(addr(4)), later.Add(time.Hour), []byte("r\x01"))
	d.Datagram(&b, port(addr(5)), later.Add(time.Hour), []byte("r\x01"))
	if d.table.byAddr[addr(1)] != nil || d.table.byAddr[addr(4)] == nil || d.table.byAddr[addr(5)] == nil {
		t.Errorf("after its end it keeps its place")
	}
}
