package netflow_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/flow"
)

var (
	exportedAt = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	limits     = collector.Limits{TemplatesPerExporter: 3, TemplateFields: 16}
)

// words makes bytes of 16-bit words.
func words(all ...uint16) []byte {
	var b []byte
	for _, w := range all {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

// set makes a set or flow set.
func set(id uint16, body ...byte) []byte {
	return append(words(id, uint16(4+len(body))), body...)
}

// ipfix makes an IPFIX message of sets.
func ipfix(domain uint32, sets ...[]byte) []byte {
	m := words(10, 0)
	m = binary.BigEndian.AppendUint32(m, uint32(exportedAt.Unix()))
	m = binary.BigEndian.AppendUint32(m, 0)
	m = binary.BigEndian.AppendUint32(m, domain)
	for _, s := range sets {
		m = append(m, s...)
	}
	binary.BigEndian.PutUint16(m[2:], uint16(len(m)))
	return m
}

// v9 makes a NetFlow v9 packet of flow sets, exported when the router had run for
// an hour; the count in its header is wrong on purpose.
func v9(domain uint32, sets ...[]byte) []byte {
	m := words(9, 1)
	m = binary.BigEndian.AppendUint32(m, uint32(time.Hour.Milliseconds()))
	m = binary.BigEndian.AppendUint32(m, uint32(exportedAt.Unix()))
	m = binary.BigEndian.AppendUint32(m, 0)
	m = binary.BigEndian.AppendUint32(m, domain)
	for _, s := range sets {
		m = append(m, s...)
	}
	return m
}

// exporter decodes datagrams of one exporter.
type exporter struct {
	session collector.Session
	batch   flow.Batch
	tally   collector.Tally
	now     time.Time
	fields  int // that its templates may have
	waiting int // bytes that may wait
	// connected says that it sends over a connection.
	connected bool

	datagram collector.Datagram
}

func newExporter() *exporter { return newExporterWith(limits) }

func newExporterWith(l collector.Limits) *exporter {
	return &exporter{session: netflow.Protocol{}.Sessions(l)(), now: exportedAt, fields: 1000, waiting: 1 << 20}
}

func (e *exporter) send(payload []byte) {
	e.datagram = collector.Datagram{ReceivedAt: e.now, Payload: payload, Tally: &e.tally, Connected: e.connected, TemplateFields: e.fields, WaitingBytes: e.waiting}
	e.session.Decode(&e.batch, &e.datagram)
}

// simple is a template of source address and octets.
func simple(id uint16) []byte { return words(id, 2, 8, 4, 1, 4) }

// record is a record of it.
var record = []byte{10, 0, 0, 1, 0, 0, 1, 0}

func TestTemplatesAreKeptByDomainAndVersion(t *testing.T) {
	e := newExporter()
	e.send(ipfix(1, set(2, simple(256)...)))
	e.send(ipfix(2, set(2, words(256, 2, 1, 4, 8, 4)...)))
	e.send(ipfix(1, set(256, record...)))
	e.send(ipfix(2, set(256, record...)))
	e.send(v9(1, set(256, record...)))
	if e.batch.Len() != 2 || e.tally.Dropped[collector.MissingTemplate] != 1 {
		t.Fatalf("%d records, dropped %v", e.batch.Len(), e.tally.ByReason())
	}
	for i, want := range []string{"10.0.0.1", "0.0.1.0"} {
		if got := flow.Addr(e.batch.SrcAddr[i]); got != netip.MustParseAddr(want) {
			t.Errorf("record %d: from %s, want %s", i, got, want)
		}
	}
}

// TestHostile sends what must neither stop nor grow the decoder.
func TestHostile(t *testing.T) {
	for _, c := range []struct {
		name  string
		sends [][]byte
		want  map[string]uint64
	}{
		{"ipfix template of zero fields, then data", [][]byte{ipfix(0, set(2, words(256, 0)...), set(256, 1, 2, 3, 4))},
			map[string]uint64{"empty_template": 1, "missing_template": 1}},
		{"v9 template of zero fields, then data", [][]byte{v9(0, set(0, words(256, 0)...), set(256, 1, 2, 3, 4))},
			map[string]uint64{"empty_template": 1, "missing_template": 1}},
		{"fields of no length", [][]byte{ipfix(0, set(2, words(256, 2, 8, 0, 1, 0)...), set(256, 1, 2, 3, 4))},
			map[string]uint64{"hostile_template": 1, "missing_template": 1}},
		{"v9 options of no length", [][]byte{v9(0, set(1, words(256, 4, 4, 1, 0, 34, 0)...), set(256, 1, 2, 3, 4))},
			map[string]uint64{"hostile_template": 1, "missing_template": 1}},
		{"v9 options without fields", [][]byte{v9(0, set(1, words(256, 0, 3)...), set(256, 1, 2, 3, 4))},
			map[string]uint64{"empty_template": 1, "missing_template": 1}},
		{"ipfix options of no length", [][]byte{ipfix(0, set(3, words(256, 2, 1, 149, 0, 34, 0)...), set(256, 1, 2, 3, 4))},
			map[string]uint64{"hostile_template": 1, "missing_template": 1}},
		{"more scopes than fields", [][]byte{ipfix(0, set(3, words(256, 1, 2, 149, 4)...))},
			map[string]uint64{"malformed_set": 1}},
		{"65535 fields promised", [][]byte{ipfix(0, set(2, words(256, 65535, 8, 4)...))},
			map[string]uint64{"truncated": 1}},
		{"enterprise numbers cut off", [][]byte{ipfix(0, set(2, words(256, 3, 0x8001, 4, 0, 9, 0x8002, 4)...))},
			map[string]uint64{"truncated": 1}},
		{"more fields than the limit", [][]byte{ipfix(0, set(2, words(append([]uint16{256, 17}, slices.Repeat([]uint16{8, 4}, 17)...)...)...))},
			map[string]uint64{"hostile_template": 1}},
		{"template id of a set", [][]byte{ipfix(0, set(2, words(2, 1, 8, 4)...))},
			map[string]uint64{"hostile_template": 1}},
		{"too many templates", [][]byte{ipfix(0, set(2, simple(256)...), set(2, simple(257)...), set(2, simple(258)...), set(2, simple(259)...))},
			map[string]uint64{"template_limit": 1}},
		{"set of no length", [][]byte{ipfix(0, words(256, 0))}, map[string]uint64{"malformed_set": 1}},
		{"set beyond the end", [][]byte{ipfix(0, words(256, 4000, 1))}, map[string]uint64{"truncated": 1, "missing_template": 1}},
		{"variable field beyond the end", [][]byte{ipfix(0, set(2, words(256, 1, 82, 0xffff)...), set(256, 200, 1, 2))},
			map[string]uint64{"malformed_record": 1}},
		{"long variable field cut off", [][]byte{ipfix(0, set(2, words(256, 1, 82, 0xffff)...), set(256, 255, 1))},
			map[string]uint64{"malformed_record": 1}},
		{"reserved set", [][]byte{ipfix(0, set(5, 1, 2, 3, 4))}, map[string]uint64{"malformed_set": 1}},
		{"header cut off", [][]byte{{0, 10, 0}, {0, 9, 0}, {0, 5, 0, 1}, {0, 7}}, map[string]uint64{"truncated": 4}},
		{"v5 of 65535 records", [][]byte{append(words(5, 65535), make([]byte, 20)...)}, map[string]uint64{"truncated": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExporter()
			for _, s := range c.sends {
				e.send(s)
			}
			if diff := cmp.Diff(c.want, e.tally.ByReason()); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
			if e.batch.Len() != 0 {
				t.Errorf("%d records", e.batch.Len())
			}
		})
	}
}

// TestManyRecords makes sure that no datagram gives more records than it can mean.
func TestManyRecords(t *testing.T) {
	e := newExporter()
	e.send(ipfix(0, set(2, words(256, 3, 4, 1, 96, 0, 95, 0)...)))
	e.send(ipfix(0, set(256, make([]byte, 30000)...), set(256, make([]byte, 30000)...)))
	if e.batch.Len() != collector.MaxRecords {
		t.Errorf("%d records", e.batch.Len())
	}
	if got := e.tally.Dropped[collector.RecordLimit]; got != 60000-collector.MaxRecords {
		t.Errorf("%d counted as over the limit", got)
	}
}

func TestUnusedTemplatesMakeRoom(t *testing.T) {
	e := newExporter()
	for id := range uint16(3) {
		e.send(ipfix(0, set(2, simple(256+id)...)))
	}
	e.now = e.now.Add(2 * time.Hour)
	e.send(ipfix(0, set(256, record...)))
	e.send(ipfix(0, set(2, simple(300)...), set(300, record...)))
	if e.batch.Len() != 2 || e.tally.ByReason() != nil {
		t.Errorf("%d records, dropped %v", e.batch.Len(), e.tally.ByReason())
	}
	if got := e.session.Size().Templates; got != 2 {
		t.Errorf("%d templates, want the used and the new one", got)
	}
}

func TestVariableLengthWithPadding(t *testing.T) {
	e := newExporter()
	body := append([]byte{3, 'a', 'b', 'c'}, record...)
	body = append(body, append([]byte{255, 0, 1, 'x'}, record...)...)
	e.send(ipfix(0, set(2, words(256, 3, 82, 0xffff, 8, 4, 1, 4)...), set(256, append(body, 0, 0, 0)...)))
	if e.batch.Len() != 2 || e.batch.Bytes[0] != 256 || e.batch.Bytes[1] != 256 || e.tally.ByReason() != nil {
		t.Errorf("%d records, bytes %v, dropped %v", e.batch.Len(), e.batch.Bytes, e.tally.ByReason())
	}
}

// TestReverseSampler: the sampler of a way back is no field of its own. One small
// datagram with one ended the process once.
func TestReverseSampler(t *testing.T) {
	for _, id := range []uint16{48, 302} {
		e := newExporter()
		template := append(words(256, 2, id|0x8000, 1, 0, 29305, 0x8001, 1), words(0, 29305)...)
		e.send(ipfix(1, set(2, template...), set(256, 1, 1)))
		if e.batch.Len() != 2 || e.batch.Bytes[1] != 1 || e.tally.ByReason() != nil {
			t.Errorf("%d records, bytes %v, dropped %v", e.batch.Len(), e.batch.Bytes, e.tally.ByReason())
		}
	}
}

// TestLateRecordsAreBounded: what waited for a template cannot turn into more records
// than an exporter could have meant.
func TestLateRecordsAreBounded(t *testing.T) {
	e := newExporterWith(collector.Limits{
		TemplatesPerExporter: 3, TemplateFields: 16, TemplateWait: time.Hour, WaitingBytesPerExporter: 1 << 20,
	})
	for range 17 {
		var sets [][]byte
		for range 15 {
			sets = append(sets, set(256, slices.Repeat([]byte{1}, 4096)...))
		}
		e.send(ipfix(1, sets...))
	}
	e.send(ipfix(1, set(2, words(256, 1, 0x8001, 1, 0, 29305)...)))
	const most = 1 << 15
	if e.batch.Len() > most || e.batch.Len() < most/2 || e.tally.Dropped[collector.RecordLimit] == 0 {
		t.Errorf("%d records, dropped %v", e.batch.Len(), e.tally.ByReason())
	}
}

// TestManyTemplates: a datagram of thousands of templates costs no more than of some.
func TestManyTemplates(t *testing.T) {
	e := newExporter()
	var all []byte
	for i := range uint16(2000) {
		all = append(all, words(256, 1, i+1, 4)...)
	}
	e.send(ipfix(1, set(2, all...)))
	if got := e.tally.Dropped[collector.TemplateLimit]; got != 2000-512 {
		t.Errorf("%d templates refused", got)
	}
}

// TestSectionLeavesFields: what a record's own fields say stays, whatever a section of
// one of its packets shows.
func TestSectionLeavesFields(t *testing.T) {
	ip := []byte{0x45, 0, 0, 60, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2}
	b := decodeIPFIX(t, f(8, 192, 0, 2, 1), f(12, 198, 51, 100, 2), f(7, 0x30, 0x39), f(11, 1, 187), f(4, 6), f(6, 0x1b), f(313, ip...))
	if b.SrcPort[0] != 12345 || b.DstPort[0] != 443 || b.TCPFlags[0] != 0x1b || b.IPTTL[0] != 64 || b.Bytes[0] != 60 {
		t.Errorf("%s", b.Row(0))
	}
}
