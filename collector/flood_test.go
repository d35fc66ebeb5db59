package collector_test

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
)

// Of the flood: how many addresses are made up, how long it lasts, longer than it
// takes an exporter to count as idle, and how often the genuine ones send in it.
const (
	spoofed       = 100_000
	floodLasts    = 30 * time.Minute
	genuinePause  = time.Minute
	genuine       = 20 // listed, and as many that are not
	genuineFields = 5
	// hasty are the first addresses and the last, which send all that a kind of flood
	// has; the others, to save time, only the first datagram of it, which is small.
	hasty = 4_500
	// sampledEvery is after how many addresses the memory is looked at.
	sampledEvery = spoofed / 20
)

// mayTake is how much memory the default limits allow a flood to take: for templates
// and samplers what the description of max_template_fields_total says, for data that
// waits max_waiting_bytes_total, and something for the table of exporters.
func mayTake(waits bool) int {
	limits := collector.DefaultConfig().Limits
	bytes := 40*limits.MaxTemplateFieldsTotal + limits.MaxExporters*4096
	if waits {
		bytes += limits.MaxWaitingBytesTotal
	}
	return bytes
}

// TestSpoofedFlood: what 100,000 made-up addresses send neither takes more memory than
// the limits allow for nor costs genuine exporters their place, templates or records:
// those that are listed, and those that are not but sent before it began.
func TestSpoofedFlood(t *testing.T) {
	for _, c := range []struct {
		what string
		// sends gives what the nth address sends. It is valid until the next call.
		sends func(n int) [][]byte
		waits bool
		// drops is counted for some of it.
		drops collector.Reason
	}{
		{"garbage", floodGarbage(), false, collector.UnknownVersion},
		{"long templates", floodOf(2, 1, 512), false, collector.TemplateLimit},
		{"short templates", floodOf(10, 10, 1), false, collector.TemplateLimit},
		{"templates that change", floodChanging(), false, collector.ExporterLimit},
		{"data without template", floodData(), true, collector.WaitingLimit},
		{"samplers", floodSamplers(), false, collector.SamplerLimit},
		{"observation domains", floodDomains(), false, collector.TemplateLimit},
		{"NetFlow v5", floodLegacy(), false, collector.ExporterLimit},
		{"templates, and data without", floodBoth(), true, collector.WaitingLimit},
	} {
		t.Run(c.what, func(t *testing.T) {
			f := newFlooded(t)
			f.genuineSpeak()
			before := heap()
			grown := f.flood(c.sends) - before
			total := f.d.Total()
			t.Logf("%d MB at most, dropped %v", grown>>20, total.ByReason())
			if most := mayTake(c.waits); grown > most {
				t.Errorf("%d bytes of memory, the limits allow %d", grown, most)
			}
			if total.Dropped[c.drops] == 0 {
				t.Errorf("nothing dropped as %s", c.drops)
			}
			f.check(before)
		})
	}
}

// flooded is a Decoder under a flood, and the genuine exporters.
type flooded struct {
	t       *testing.T
	d       *collector.Decoder
	at      time.Time
	spoken  time.Time // when the genuine ones sent last
	batch   flow.Batch
	records int // of each genuine exporter
}

type floodListed struct{}

func (floodListed) Version() any { return "" }

func (floodListed) Exporter(a netip.Addr) (uint32, bool) {
	return 0, a.As4()[0] == 10 && exporterIndex(a) < genuine
}

// exporterIndex undoes exporterAddr.
func exporterIndex(a netip.Addr) int { b := a.As4(); return int(b[2])<<8 | int(b[3]) }

func newFlooded(t *testing.T) *flooded {
	cfg := collector.DefaultConfig()
	return &flooded{t: t, d: collector.NewDecoder(cfg, protocols, floodListed{}), at: nine}
}

// flood lets all made-up addresses send, and gives the most memory in use meanwhile.
func (f *flooded) flood(sends func(n int) [][]byte) (most int) {
	for n := range spoofed {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, byte(n >> 16), byte(n >> 8), byte(n)}), 2055)
		all := sends(n)
		if n >= hasty && n < spoofed-hasty {
			all = all[:1]
		}
		for _, payload := range all {
			f.d.Datagram(&f.batch, from, f.at, payload)
		}
		f.batch.Reset()
		f.pass(floodLasts / spoofed)
		if (n+1)%sampledEvery == 0 {
			most = max(most, heap())
		}
	}
	return most
}

// genuineSpeak has every genuine exporter send a record, and before it, now and then,
// its template and what it samples.
func (f *flooded) genuineSpeak() {
	f.t.Helper()
	f.spoken = f.at
	introduce := f.records%5 == 0
	f.records++
	for n := range 2 * genuine {
		send := func(payload []byte) { f.d.Datagram(&f.batch, exporterAddr(n), f.at, payload) }
		if introduce {
			send(templateOf(256, genuineFields))
			send(samplerTemplate(257))
			send(samplerData(257, 1, 1, uint32(100+n)))
		}
		f.batch.Reset()
		send(ipfix(0, set(256, make([]byte, genuineFields))))
		if f.batch.Len() != 1 || f.batch.SamplingInterval[0] != uint32(100+n) {
			f.t.Fatalf("genuine exporter %d: %d records at %s", n, f.batch.Len(), f.at)
		}
	}
	f.batch.Reset()
}

// pass lets time pass.
func (f *flooded) pass(d time.Duration) {
	f.at = f.at.Add(d)
	if f.at.Sub(f.spoken) < genuinePause {
		return
	}
	f.genuineSpeak()
	f.d.Expire(f.at)
}

// check looks whether the genuine exporters are what they were, and what the flood
// holds on to once it is over.
func (f *flooded) check(before int) {
	f.t.Helper()
	f.genuineSpeak()
	rows := f.d.Health(f.at)
	seen := 0
	for _, h := range rows {
		if h.Exporter == netip.IPv6Unspecified() || h.Exporter.As4()[0] != 10 {
			continue
		}
		n := exporterIndex(h.Exporter)
		seen++
		if h.Records != uint64(f.records) || h.Templates != 2 || len(h.Dropped) > 0 || !h.LastReceivedAt.Equal(f.at) ||
			!slices.Equal(h.SamplingIntervals, []uint32{uint32(100 + n)}) {
			f.t.Errorf("genuine exporter %d: health %+v", n, h)
		}
	}
	if seen != 2*genuine {
		f.t.Errorf("%d genuine exporters have a row", seen)
	}
	if most := genuine + collector.DefaultConfig().Limits.MaxExporters + 17; len(rows) > most {
		f.t.Errorf("%d rows of health", len(rows))
	}
	f.d.GiveUp()
	f.t.Logf("%d MB once nothing waits", (heap()-before)>>20)
	runtime.KeepAlive(f.d)
}

// ipfix makes an IPFIX message.
func ipfix(domain uint32, sets ...[]byte) []byte {
	m := append(binary.BigEndian.AppendUint16(nil, 10), make([]byte, 14)...)
	for _, s := range sets {
		m = append(m, s...)
	}
	binary.BigEndian.PutUint16(m[2:], uint16(len(m)))
	binary.BigEndian.PutUint32(m[12:], domain)
	return m
}

func set(id uint16, data []byte) []byte {
	s := binary.BigEndian.AppendUint16(nil, id)
	s = binary.BigEndian.AppendUint16(s, uint16(4+len(data)))
	return append(s, data...)
}

// samplerTemplate announces options data of samplers: selectorId (302) is the scope,
// then samplingInterval (34), four bytes each.
func samplerTemplate(id uint16) []byte { return ipfix(0, samplerTemplateSet(id)) }

func samplerTemplateSet(id uint16) []byte {
	u16 := binary.BigEndian.AppendUint16
	return set(3, u16(u16(u16(u16(u16(u16(u16(nil, id), 2), 1), 302), 4), 34), 4))
}

// samplerData announces n samplers from first on.
func samplerData(id uint16, first, n int, interval uint32) []byte {
	return ipfix(0, samplerSet(id, first, n, interval))
}

func samplerSet(id uint16, first, n int, interval uint32) []byte {
	var data []byte
	for i := range n {
		data = binary.BigEndian.AppendUint32(data, uint32(first+i))
		data = binary.BigEndian.AppendUint32(data, interval)
	}
	return set(id, data)
}

func floodGarbage() func(int) [][]byte {
	payload := slices.Repeat([]byte("garbage "), 1<<13)[:1<<16-100]
	return func(n int) [][]byte { return [][]byte{payload[n%7:], payload[:1]} }
}

// floodChanging: a template that is replaced again and again.
func floodChanging() func(int) [][]byte {
	sends := floodOf(10, 1, 100)
	return func(n int) [][]byte {
		all := sends(n)
		for _, m := range all {
			binary.BigEndian.PutUint16(m[20:], 256)
		}
		return all
	}
}

// floodBoth: as many short templates as fit, and data without.
func floodBoth() func(int) [][]byte {
	templates, data := floodOf(10, 10, 1), floodData()
	return func(n int) [][]byte { return append(slices.Clone(templates(n)), data(n)...) }
}

// floodOf gives datagrams of so many templates each, of so many fields, which nobody
// else has; and before them a small one.
func floodOf(datagrams, templates, fields int) func(int) [][]byte {
	size := 4 + 4*fields
	all := [][]byte{templateOf(256, 1)}
	for i := range datagrams {
		var records []byte
		for j := range templates {
			records = append(records, templateOf(uint16(257+i*templates+j), fields)[20:]...)
		}
		all = append(all, ipfix(0, set(2, records)))
	}
	return func(n int) [][]byte {
		for i, m := range all[1:] {
			for j := range templates {
				// The last field tells by its length whose template it is, and which.
				at := 20 + (j+1)*size - 4
				binary.BigEndian.PutUint16(m[at:], uint16(1+i*templates+j))
				binary.BigEndian.PutUint16(m[at+2:], uint16(1+n%65_000))
			}
		}
		return all
	}
}

// floodData: data whose templates never come.
func floodData() func(int) [][]byte {
	m := ipfix(0, set(5000, make([]byte, 20_000)))
	small := ipfix(1, slices.Repeat(set(5001, make([]byte, 4)), 20))
	return func(int) [][]byte { return [][]byte{small, m} }
}

// floodSamplers: samplers in several observation domains.
func floodSamplers() func(int) [][]byte {
	const domains, each = 2, 256
	all := [][]byte{ipfix(9, samplerTemplateSet(256), samplerSet(256, 1, 1, 10))}
	for d := range uint32(domains) {
		all = append(all, ipfix(d, samplerTemplateSet(256), samplerSet(256, 1, each, 10)))
	}
	return func(int) [][]byte { return all }
}

// floodDomains: one template and one sampler in many domains.
func floodDomains() func(int) [][]byte {
	const domains = 100
	var all [][]byte
	for d := range uint32(domains) {
		all = append(all, ipfix(d, samplerTemplateSet(256), samplerSet(256, 1, 1, 10)))
	}
	return func(int) [][]byte { return all }
}

// floodLegacy: records that need no template, from as many engines as there are.
func floodLegacy() func(int) [][]byte {
	m := make([]byte, 24+48)
	m[1], m[3] = 5, 1
	return func(n int) [][]byte {
		m[20], m[21] = byte(n), byte(n>>8)
		return [][]byte{m}
	}
}
