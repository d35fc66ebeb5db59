package collector_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
)

// listedExporter is an inventory of one.
type listedExporter struct{ addr netip.Addr }

func (listedExporter) Version() any { return "" }

func (l listedExporter) Exporter(a netip.Addr) (uint32, bool) { return 0, a == l.addr }

// templateOf makes an IPFIX message with a template of n fields.
func templateOf(id uint16, n int) []byte {
	u16 := binary.BigEndian.AppendUint16
	m := append(u16(nil, 10), make([]byte, 14)...)
	m = u16(u16(m, 2), uint16(8+4*n))
	m = u16(u16(m, id), uint16(n))
	for i := range n {
		m = u16(u16(m, uint16(i%370+1)), 1)
	}
	binary.BigEndian.PutUint16(m[2:], uint16(len(m)))
	return m
}

func exporterAddr(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 2055)
}

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// fields of a template that counts for a hundred.
const hundred = 100 - 10

// TestTemplateBudget: the templates of all exporters that are not listed share one
// budget; what gives way or is replaced is given back.
func TestTemplateBudget(t *testing.T) {
	cfg := collector.DefaultConfig()
	cfg.Limits.MaxExporters = 3
	cfg.Limits.MaxTemplateFieldsTotal = 1000 + 3*12 // ten of them, and three domains
	d := collector.NewDecoder(cfg, protocols, listedExporter{exporterAddr(9).Addr()})
	var b flow.Batch
	// sends sends templates and gives how many were refused.
	sends := func(exporter int, at time.Time, templates, fields int) uint64 {
		t.Helper()
		before := d.Total()
		for i := range templates {
			d.Datagram(&b, exporterAddr(exporter), at, templateOf(uint16(256+i), fields))
		}
		total := d.Total()
		return total.Dropped[collector.TemplateLimit] - before.Dropped[collector.TemplateLimit]
	}
	idle := nine.Add(16 * time.Minute)
	for _, c := range []struct {
		what                        string
		exporter, templates, fields int
		at                          time.Time
		refused                     uint64
	}{
		{"the first", 1, 6, hundred, nine, 0},
		{"beyond the budget", 2, 6, hundred, nine, 2},
		{"nothing is left", 3, 1, hundred, nine, 1},
		{"listed", 9, 20, hundred, nine, 0},
		{"sent again", 1, 6, hundred, nine, 0},
		{"replaced by smaller ones", 1, 6, hundred - 50, nine, 0},
		{"what that set free", 2, 7, hundred, nine, 0},
		{"nothing is left again", 2, 8, hundred, nine, 1},
		{"the idle give way", 4, 10, hundred, idle, 0},
		{"until nothing is idle", 5, 1, hundred, idle, 1},
	} {
		if got := sends(c.exporter, c.at, c.templates, c.fields); got != c.refused {
			t.Fatalf("%s: %d templates refused, want %d", c.what, got, c.refused)
		}
	}
	if total := d.Total(); len(total.ByReason()) != 1 {
		t.Errorf("dropped %v", total.ByReason())
	}
}

// TestTemplateMemory: each field of the budget stands for no more bytes than the
// setting's description says, for templates large and small.
func TestTemplateMemory(t *testing.T) {
	const budget, bytesEach = 400_000, 40
	for _, fields := range []int{1, 4, 40, 350} {
		cfg := collector.DefaultConfig()
		cfg.Limits.MaxTemplateFieldsTotal = budget
		message := templateOf(256, fields)
		before := heap()
		d := collector.NewDecoder(cfg, protocols, nil)
		var b flow.Batch
		for n := 0; d.Total().Dropped[collector.TemplateLimit] == 0; n++ {
			binary.BigEndian.PutUint16(message[20:], uint16(256+n%1024))
			// No two alike: equal ones would be kept once.
			binary.BigEndian.PutUint16(message[24:], uint16(10000+n/1024))
			d.Datagram(&b, exporterAddr(n/1024), nine, message)
			if n > budget {
				t.Fatal("no end of templates")
			}
		}
		took := heap() - before
		runtime.KeepAlive(d)
		t.Logf("templates of %d fields: %d bytes for each field of the budget", fields, took/budget)
		if took > budget*bytesEach {
			t.Errorf("templates of %d fields take %d bytes of memory", fields, took)
		}
	}
}

// heap gives the bytes in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
