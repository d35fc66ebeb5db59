package netflow_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
)

// field is an element of a template and its value in the one record.
type field struct {
	id    uint16
	pen   uint32
	value []byte
}

func f(id uint16, value ...byte) field { return field{id: id, value: value} }

func reverse(id uint16, value ...byte) field { return field{id, 29305, value} }

func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// sets makes a template of the fields and a data set of the record.
func sets(templateSet uint16, all []field) [][]byte {
	template := words(256, uint16(len(all)))
	var data []byte
	for _, v := range all {
		if v.pen != 0 {
			template = append(template, words(v.id|0x8000, uint16(len(v.value)))...)
			template = binary.BigEndian.AppendUint32(template, v.pen)
		} else {
			template = append(template, words(v.id, uint16(len(v.value)))...)
		}
		data = append(data, v.value...)
	}
	return [][]byte{set(templateSet, template...), set(256, data...)}
}

// decodeIPFIX decodes one record.
func decodeIPFIX(t *testing.T, all ...field) *flow.Batch {
	t.Helper()
	return decode(t, ipfix(7, sets(2, all)...))
}

func decode9(t *testing.T, all ...field) *flow.Batch {
	t.Helper()
	return decode(t, v9(7, sets(0, all)...))
}

func decode(t *testing.T, payload []byte) *flow.Batch {
	t.Helper()
	e := newExporter()
	e.send(payload)
	if dropped := e.tally.ByReason(); dropped != nil || e.batch.Len() == 0 {
		t.Fatalf("%d records, dropped %v", e.batch.Len(), dropped)
	}
	return &e.batch
}

func TestCounters(t *testing.T) {
	for _, c := range []struct {
		name           string
		fields         []field
		bytes, packets uint64
	}{
		{"delta", []field{f(1, 9), f(2, 3)}, 9, 3},
		{"outgoing repeats incoming", []field{f(23, 90), f(24, 30), f(1, 9), f(2, 3)}, 9, 3},
		{"outgoing alone", []field{f(23, 90), f(24, 30)}, 90, 30},
		{"total", []field{f(85, 7), f(86, 2)}, 7, 2},
		{"delta before total", []field{f(85, 7), f(1, 9)}, 9, 0},
		{"initiator", []field{f(231, 8), f(298, 4)}, 8, 4},
		{"layer 2 alone", []field{f(352, 60), f(2, 1)}, 60, 1},
		{"three bytes long", []field{f(1, 1, 0, 0)}, 65536, 0},
	} {
		b := decodeIPFIX(t, c.fields...)
		if b.Len() != 1 || b.Bytes[0] != c.bytes || b.Packets[0] != c.packets {
			t.Errorf("%s: %d records, bytes %v, packets %v", c.name, b.Len(), b.Bytes, b.Packets)
		}
	}
}

func TestBiflow(t *testing.T) {
	key := []field{f(8, 10, 0, 0, 1), f(12, 10, 0, 0, 2), f(7, 200, 0), f(11, 0, 22), f(4, 6), f(10, 5), f(14, 6)}
	for _, c := range []struct {
		name   string
		fields []field
		want   int
	}{
		{"reverse elements", []field{f(1, 9), f(2, 3), f(6, 2), reverse(1, 90), reverse(2, 30), reverse(6, 18)}, 2},
		{"initiator and responder", []field{f(231, 9), f(298, 3), f(6, 2), f(232, 90), f(299, 30)}, 2},
		{"nothing came back", []field{f(1, 9), f(2, 3), f(6, 2), reverse(1, 0), reverse(2, 0)}, 1},
	} {
		b := decodeIPFIX(t, append(slices.Clone(key), c.fields...)...)
		if b.Len() != c.want || b.Bytes[0] != 9 || b.Packets[0] != 3 || b.TCPFlags[0] != 2 {
			t.Errorf("%s: %d records, bytes %v, packets %v, flags %v", c.name, b.Len(), b.Bytes, b.Packets, b.TCPFlags)
			continue
		}
		if c.want == 1 {
			continue
		}
		if b.SrcAddr[1] != b.DstAddr[0] || b.DstAddr[1] != b.SrcAddr[0] || b.SrcPort[1] != 22 || b.DstPort[1] != 51200 ||
			b.InIf[1] != 6 || b.Bytes[1] != 90 || b.Packets[1] != 30 || b.Protocol[1] != 6 || b.ObservationDomain[1] != 7 {
			t.Errorf("%s: the way back is wrong: from %s:%d, bytes %d, packets %d", c.name, flow.Addr(b.SrcAddr[1]), b.SrcPort[1], b.Bytes[1], b.Packets[1])
		}
		if c.name == "reverse elements" && b.TCPFlags[1] != 18 {
			t.Errorf("flags of the way back: %d", b.TCPFlags[1])
		}
	}
}

func TestTimes(t *testing.T) {
	start, end := exportedAt.Add(-90*time.Second), exportedAt.Add(-30*time.Second)
	ms := func(at time.Time) []byte { return u64(uint64(at.UnixMilli())) }
	s := func(at time.Time) []byte { return u32(uint32(at.Unix())) }
	ntp := func(at time.Time) []byte { return u64(uint64(at.Unix()+2208988800) << 32) }
	uptime := func(at time.Time) []byte {
		return u32(uint32(time.Hour.Milliseconds() - exportedAt.Sub(at).Milliseconds()))
	}
	boot := exportedAt.Add(-time.Hour)
	for _, c := range []struct {
		name   string
		fields []field
		v9     bool
		end    bool // whether the end is told
	}{
		{"milliseconds", []field{f(152, ms(start)...), f(153, ms(end)...)}, false, true},
		{"seconds", []field{f(150, s(start)...), f(151, s(end)...)}, false, true},
		{"microseconds", []field{f(154, ntp(start)...), f(155, ntp(end)...)}, false, true},
		{"nanoseconds", []field{f(156, ntp(start)...), f(157, ntp(end)...)}, false, true},
		{"microseconds before export", []field{f(158, u32(90e6)...), f(159, u32(30e6)...)}, false, true},
		{"start and duration", []field{f(152, ms(start)...), f(161, u32(60000)...)}, false, true},
		{"end and duration in microseconds", []field{f(153, ms(end)...), f(162, u32(60e6)...)}, false, true},
		{"start and observation", []field{f(152, ms(start)...), f(323, ms(end)...)}, false, true},
		{"start alone", []field{f(152, ms(start)...)}, false, false},
		{"uptimes of v9", []field{f(22, uptime(start)...), f(21, uptime(end)...)}, true, true},
		{"uptimes of IPFIX", []field{f(160, ms(boot)...), f(22, uptime(start)...), f(21, uptime(end)...)}, false, true},
		{"milliseconds before seconds", []field{f(150, s(end)...), f(152, ms(start)...), f(153, ms(end)...)}, false, true},
	} {
		decodeOne := decodeIPFIX
		if c.v9 {
			decodeOne = decode9
		}
		b := decodeOne(t, c.fields...)
		want := int64(0)
		if c.end {
			want = end.UnixMilli()
		}
		if b.StartAt[0] != start.UnixMilli() || b.EndAt[0] != want {
			t.Errorf("%s: %s to %s", c.name, time.UnixMilli(b.StartAt[0]).UTC(), time.UnixMilli(b.EndAt[0]).UTC())
		}
	}
}

// TestUptimeWraps: the flow began before the router's uptime wrapped at 2^32 ms.
func TestUptimeWraps(t *testing.T) {
	p := v9(0, sets(0, []field{f(22, u32(1<<32-5000)...)})...)
	binary.BigEndian.PutUint32(p[4:], 3000)
	b := decode(t, p)
	if want := exportedAt.Add(-8 * time.Second).UnixMilli(); b.StartAt[0] != want {
		t.Errorf("started %s before export, want 8s", time.Duration(exportedAt.UnixMilli()-b.StartAt[0])*time.Millisecond)
	}
}

func TestAddresses(t *testing.T) {
	six := []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	none := make([]byte, 16)
	for _, c := range []struct {
		name    string
		fields  []field
		want    string
		version uint8
	}{
		{"IPv4", []field{f(8, 10, 0, 0, 1)}, "10.0.0.1", 4},
		{"IPv6", []field{f(27, six...)}, "2001:db8::1", 6},
		{"IPv4, IPv6 zero", []field{f(8, 10, 0, 0, 1), f(27, none...)}, "10.0.0.1", 4},
		{"IPv6 zero, IPv4", []field{f(27, none...), f(8, 10, 0, 0, 1)}, "10.0.0.1", 4},
		{"IPv6, IPv4 zero", []field{f(27, six...), f(8, 0, 0, 0, 0)}, "2001:db8::1", 6},
		{"IPv4 zero, IPv6", []field{f(8, 0, 0, 0, 0), f(27, six...)}, "2001:db8::1", 6},
		{"DHCP discover", []field{f(8, 0, 0, 0, 0), f(12, 255, 255, 255, 255)}, "0.0.0.0", 4},
		{"tunnel, outer first", []field{f(27, six...), f(8, 10, 0, 0, 1)}, "2001:db8::1", 6},
		{"an element twice, outer first", []field{f(8, 10, 0, 0, 1), f(8, 10, 0, 0, 9)}, "10.0.0.1", 4},
		{"prefix for want of an address", []field{f(44, 10, 1, 0, 0)}, "10.1.0.0", 4},
		{"H3C: address of two bytes", []field{f(8, 10, 0, 0, 1), f(15, 1, 2)}, "10.0.0.1", 4},
	} {
		b := decodeIPFIX(t, c.fields...)
		if got := flow.Addr(b.SrcAddr[0]).String(); got != c.want || b.IPVersion[0] != c.version {
			t.Errorf("%s: %s, version %d", c.name, got, b.IPVersion[0])
		}
	}
}

func TestICMPAndDirection(t *testing.T) {
	b := decode9(t, f(4, 1), f(11, 3, 1), f(61, 1))
	if b.ICMPType[0] != 3 || b.ICMPCode[0] != 1 || b.DstPort[0] != 0 || b.Direction[0] != flow.DirectionEgress {
		t.Errorf("type %d, code %d, port %d, direction %d", b.ICMPType[0], b.ICMPCode[0], b.DstPort[0], b.Direction[0])
	}
	b = decode9(t, f(4, 58), f(11, 0, 0), f(178, 128), f(176, 0), f(61, 0))
	if b.ICMPType[0] != 128 || b.Direction[0] != flow.DirectionIngress {
		t.Errorf("type %d, direction %d", b.ICMPType[0], b.Direction[0])
	}
	b = decode9(t, f(4, 6), f(11, 3, 1))
	if b.ICMPType[0] != 0 || b.DstPort[0] != 769 || b.Direction[0] != flow.DirectionUnknown {
		t.Errorf("type %d, port %d, direction %d", b.ICMPType[0], b.DstPort[0], b.Direction[0])
	}
}

// TestSampledFrame reads a packet out of element 315.
func TestSampledFrame(t *testing.T) {
	frame := []byte{
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 42, 8, 0, // to, from, VLAN 42
		0x45, 0, 0, 60, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // 60 bytes of UDP
		0x10, 0, 0, 53, 0, 40, 0, 0,
	}
	b := decodeIPFIX(t, f(315, frame...), f(305, u32(1)...), f(306, u32(999)...))
	if flow.Addr(b.SrcAddr[0]).String() != "10.0.0.1" || b.DstPort[0] != 53 || b.SrcVLAN[0] != 42 ||
		b.Bytes[0] != 60 || b.Packets[0] != 1 || b.SamplingInterval[0] != 1000 || b.SrcMAC[0] != 0x020000000001 {
		t.Errorf("from %s port %d, VLAN %d, %d bytes, %d packets, one of %d", flow.Addr(b.SrcAddr[0]), b.DstPort[0],
			b.SrcVLAN[0], b.Bytes[0], b.Packets[0], b.SamplingInterval[0])
	}
}

func TestSampling(t *testing.T) {
	sampler := set(1, words(257, 4, 8, 1, 4, 48, 1, 50, 4)...) // scope system; sampler id, interval
	options := func(id byte, n uint32) []byte {
		return set(257, append([]byte{0, 0, 0, 0, id}, u32(n)...)...)
	}
	named := sets(0, []field{f(48, 2), f(1, 9)})
	unnamed := sets(0, []field{f(1, 9)})
	interval := set(1, words(258, 4, 8, 1, 4, 34, 4, 35, 1)...)
	everything := set(258, append(append([]byte{0, 0, 0, 0}, u32(512)...), 1)...)
	for _, c := range []struct {
		name  string
		sends [][]byte
		want  uint32
	}{
		{"by its sampler", [][]byte{v9(0, sampler, options(1, 100), options(2, 200)), v9(0, named...)}, 200},
		{"sampler of another domain", [][]byte{v9(1, sampler, options(2, 200)), v9(0, named...)}, 0},
		{"names none, there is one", [][]byte{v9(0, sampler, options(1, 100)), v9(0, unnamed...)}, 100},
		{"names none, there are two", [][]byte{v9(0, sampler, options(1, 100), options(2, 200)), v9(0, unnamed...)}, 0},
		{"of the domain", [][]byte{v9(0, interval, everything), v9(0, unnamed...)}, 512},
		{"sampler changed", [][]byte{v9(0, sampler, options(2, 200)), v9(0, options(2, 400)), v9(0, named...)}, 400},
		{"in the record", [][]byte{v9(0, interval, everything), v9(0, sets(0, []field{f(34, u32(64)...), f(1, 9)})...)}, 64},
		{"not said", [][]byte{v9(0, unnamed...)}, 0},
	} {
		e := newExporter()
		for _, s := range c.sends {
			e.send(s)
		}
		if e.batch.Len() != 1 || e.batch.SamplingInterval[0] != c.want {
			t.Errorf("%s: %d records, one of %v, want %d (dropped %v)", c.name, e.batch.Len(), e.batch.SamplingInterval, c.want, e.tally.ByReason())
		}
	}
}

func TestSamplingOfIPFIX(t *testing.T) {
	float := u64(0x3f50624dd2f1a9fc) // 0.001
	for _, c := range []struct {
		name   string
		fields []field
		want   uint32
	}{
		{"one, then 99 not", []field{f(305, 1), f(306, 99)}, 100},
		{"ten, then 90 not", []field{f(305, 10), f(306, 90)}, 10},
		{"interval without space", []field{f(305, 0, 50)}, 50},
		{"one, none skipped", []field{f(305, 1), f(306, 0)}, 1},
		{"size of population", []field{f(309, 1), f(310, u32(2048)...)}, 2048},
		{"probability", []field{f(311, float...)}, 1000},
		{"probability of nonsense", []field{f(311, u64(0x7ff8000000000001)...)}, 0},
	} {
		if b := decodeIPFIX(t, c.fields...); b.SamplingInterval[0] != c.want {
			t.Errorf("%s: one of %d, want %d", c.name, b.SamplingInterval[0], c.want)
		}
	}
}

func TestSamplerLimit(t *testing.T) {
	e := newExporter()
	e.send(v9(0, set(1, words(257, 0, 8, 48, 4, 50, 4)...)))
	e.fields = 100_000
	for i := range uint32(4200) {
		e.send(v9(0, set(257, append(u32(i), u32(100)...)...)))
	}
	if got := e.tally.Dropped[collector.SamplerLimit]; got != 4200-4096 {
		t.Errorf("%d samplers refused", got)
	}
}

// TestElementsOfTheirOwn: fields that fill one column each.
func TestElementsOfTheirOwn(t *testing.T) {
	b := decodeIPFIX(t,
		f(70, 0x12, 0x34, 0x51), f(71, 0, 0x06, 0x40), f(72, 0, 0x06, 0x51),
		f(234, 0, 0, 0, 7), f(235, 0, 0, 0, 8), f(192, 63), f(52, 1), f(54, 0, 0, 0x12, 0x34), f(88, 0, 185),
		f(225, 198, 51, 100, 1), f(226, 203, 0, 113, 2), f(227, 0x30, 0x39), f(228, 1, 187), f(230, 4), f(233, 3))
	want := map[string]any{
		"mpls_label_1": uint32(0x12345), "mpls_label_2": uint32(100), "mpls_label_3": uint32(101),
		"in_vrf": uint32(7), "out_vrf": uint32(8), "ip_ttl": uint8(63), "fragment_id": uint32(0x1234), "fragment_offset": uint16(185),
		"src_addr_nat": netip.MustParseAddr("198.51.100.1"), "dst_addr_nat": netip.MustParseAddr("203.0.113.2"),
		"src_port_nat": uint16(12345), "dst_port_nat": uint16(443), "nat_event": uint8(4), "firewall_event": uint8(3),
	}
	for name, v := range want {
		if got := b.Row(0).Get(name); got != v {
			t.Errorf("%s is %v, want %v", name, got, v)
		}
	}
}

// TestSamplingByInterface: a router that samples each interface at a rate of its own
// says so with the interface as scope.
func TestSamplingByInterface(t *testing.T) {
	for name, announce := range map[string][][]byte{
		"v9":    {set(1, words(400, 4, 4, 2, 4, 34, 4)...), set(400, append(append(u32(3), u32(64)...), append(u32(5), u32(128)...)...)...)},
		"ipfix": {set(3, words(400, 2, 1, 10, 4, 34, 4)...), set(400, append(append(u32(3), u32(64)...), append(u32(5), u32(128)...)...)...)},
	} {
		e := newExporter()
		message, templates := v9, uint16(0)
		if name == "ipfix" {
			message, templates = ipfix, 2
		}
		e.send(message(1, announce...))
		e.send(message(1, set(templates, words(256, 3, 10, 4, 14, 4, 61, 1)...)))
		rows := []byte{}
		for _, r := range []struct{ in, out, egress uint32 }{{3, 5, 0}, {5, 3, 0}, {9, 3, 0}, {9, 5, 1}} {
			rows = append(append(append(rows, u32(r.in)...), u32(r.out)...), byte(r.egress))
		}
		e.send(message(1, set(256, rows...)))
		if got, want := e.batch.SamplingInterval, []uint32{64, 128, 0, 128}; !slices.Equal(got, want) {
			t.Errorf("%s: sampled 1 of %v, want %v", name, got, want)
		}
	}
}

// TestNoAllocations: in steady state nothing is allocated for records, nor for
// datagrams, whatever the kind of template.
func TestNoAllocations(t *testing.T) {
	for name, template := range map[string][]uint16{
		"fixed":           router20,
		"with a sampler":  append([]uint16{48, 2}, router20...),
		"with notes":      append([]uint16{161, 4, 150, 4}, router20...),
		"biflow":          append([]uint16{232, 4, 299, 4}, router20...),
		"variable length": append([]uint16{82, 0xffff}, router20...),
	} {
		e := newExporterWith(collector.Limits{TemplatesPerExporter: 3, TemplateFields: 30})
		first, data := export(10, template, 24)
		e.send(first)
		e.send(data)
		records := e.batch.Len()
		if n := testing.AllocsPerRun(100, func() { e.batch.Reset(); e.send(data); e.send(first) }); n != 0 || records == 0 {
			t.Errorf("%s: %v allocations for %d records", name, n, records)
		}
	}
}
