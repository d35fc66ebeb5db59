package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"tapwatch/collector"
	"tapwatch/flow"
)

const (
	manyExporters        = 10_000
	templatesOfEach      = 20
	recordsOfFleet       = 20 // a datagram: the longest layout still fits a frame
	variants             = 50 // exporters have templates alike, one in variants
	firstTemplateOfFleet = 300
)

// fleet is many exporters that send with many templates each.
type fleet struct {
	newDecoder func() *collector.Decoder
	decoder    *collector.Decoder
	enrich     func(*flow.Batch)
	addrs      []netip.AddrPort
	at         clock
	// datagrams are by variant and template; they are sent by each exporter of the
	// variant.
	datagrams [variants][templatesOfEach]datagram
	layouts   [variants][templatesOfEach]layout
	sequences sequences
	batch     flow.Batch
}

// measureExporters measures what 10,000 exporters with 20 templates each take: memory,
// and time beside the same datagrams from few exporters.
func measureExporters(ctx context.Context, r *report, short bool) error {
	passes := 60
	if short {
		passes = 20
	}
	r.Say("\nexporters: %d with %d templates of 20 fields each, all in the inventory; %d layouts, %d records a datagram", manyExporters, templatesOfEach, variants*templatesOfEach, recordsOfFleet)
	f, err := newFleet()
	if err != nil {
		return err
	}
	if err := f.measureMemory(r, "exporters10k", "the same layouts in one of 50 exporters", f.layoutsOf); err != nil {
		return err
	}
	if err := f.measureSlowdown(ctx, r, "exporters10k_decode_", passes, func(*flow.Batch) {}); err != nil {
		return err
	}
	if err := f.measureSlowdown(ctx, r, "exporters10k_", passes, f.enrich); err != nil {
		return err
	}
	f.forget()
	return f.measureMemory(r, "exporters10k_distinct", "no two templates of one layout", f.distinctLayouts())
}

func newFleet() (*fleet, error) {
	f := &fleet{at: clockNow(), sequences: make(sequences, manyExporters)}
	for i := range manyExporters {
		f.addrs = append(f.addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 128, byte(i >> 8), byte(i)}), 40000))
	}
	inventory, err := f.inventory()
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(inventory)) }()
	c := configuration()
	c.Inventory = inventory
	newDecoder, chain, err := stages(c)
	if err != nil {
		return nil, err
	}
	f.newDecoder, f.enrich = newDecoder, chain.Enrich
	f.decoder = f.newDecoder()
	t := newTraffic(2, f.at.now, false)
	random := rand.New(rand.NewPCG(3, 0))
	for v := range variants {
		for k := range templatesOfEach {
			l := layoutV9(f.at.boot).varied(random)
			var body []byte
			for range recordsOfFleet {
				body = l.appendRecord(body, t.record())
			}
			id := uint16(firstTemplateOfFleet + k)
			payload := netflow9.message(f.at, 0, recordsOfFleet, set(id, body))
			f.layouts[v][k] = l
			f.datagrams[v][k] = datagram{protocol: &netflow9, payload: payload, records: recordsOfFleet}
		}
	}
	return f, nil
}

// inventory writes one that lists all exporters.
func (f *fleet) inventory() (file string, err error) {
	var text strings.Builder
	text.WriteString("exporters:\n")
	for i, a := range f.addrs {
		fmt.Fprintf(&text, "  - {address: %s, name: pe%d}\n", a.Addr(), i)
	}
	dir, err := os.MkdirTemp("", "tapwatch-benchmark-")
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "inventory.yaml")
	return file, os.WriteFile(file, []byte(text.String()), 0o600)
}

// forget makes the decoder anew.
func (f *fleet) forget() { f.decoder, f.sequences = f.newDecoder(), make(sequences, manyExporters) }

// layoutsOf gives the layouts of an exporter.
func (f *fleet) layoutsOf(exporter int) [templatesOfEach]layout { return f.layouts[exporter%variants] }

// distinctLayouts draws others for every exporter.
func (f *fleet) distinctLayouts() func(exporter int) [templatesOfEach]layout {
	random := rand.New(rand.NewPCG(4, 0))
	return func(int) (all [templatesOfEach]layout) {
		for k := range all {
			all[k] = layoutV9(f.at.boot).varied(random)
		}
		return all
	}
}

// measureMemory sends one datagram with all templates from each exporter.
func (f *fleet) measureMemory(r *report, result, what string, layouts func(exporter int) [templatesOfEach]layout) error {
	f.sendTemplates(0, layouts(0)) // what the first datagram of all makes is not theirs
	before, err := footprint()
	if err != nil {
		return err
	}
	for i := range manyExporters {
		f.sendTemplates(i, layouts(i))
	}
	after, err := footprint()
	if err != nil {
		return err
	}
	known := 0
	for _, h := range f.decoder.Health(time.Now()) {
		known += int(h.Templates)
	}
	if known != manyExporters*templatesOfEach {
		return fmt.Errorf("%d of %d templates are known", known, manyExporters*templatesOfEach)
	}
	rss, heap := megabytes(after.resident-before.resident), megabytes(after.heap-before.heap)
	r.Say("  memory, %s: resident %.1f MB more, heap %.1f MB: %.0f bytes a template", what, rss, heap, heap*1e6/float64(known))
	r.Add(result+"_rss_mb", rss)
	r.Add(result+"_heap_mb", heap)
	return nil
}

func (f *fleet) sendTemplates(exporter int, layouts [templatesOfEach]layout) {
	var body []byte
	for k, l := range layouts {
		body = l.appendTemplate(body, uint16(firstTemplateOfFleet+k))
	}
	d := datagram{protocol: &netflow9, exporter: exporter, payload: netflow9.message(f.at, 0, templatesOfEach, set(0, body))}
	f.sequences.stamp(&d)
	f.decoder.Datagram(&f.batch, f.addrs[exporter], time.Now(), d.payload)
}

// memory is what this process takes, in bytes.
type memory struct{ resident, heap int64 }

func footprint() (memory, error) {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	resident, err := residentBytes()
	return memory{resident, int64(m.HeapAlloc)}, err
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// measureSlowdown sends the same datagrams in turn from all exporters and from one of
// each variant.
func (f *fleet) measureSlowdown(ctx context.Context, r *report, result string, passes int, enrich func(*flow.Batch)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var many, few, ratios []float64
	for p := range passes + 1 { // the first warms up
		if err := ctx.Err(); err != nil {
			return err
		}
		a, err := f.pass(p, manyExporters, enrich)
		if err != nil {
			return err
		}
		b, err := f.pass(p, variants, enrich)
		if err != nil {
			return err
		}
		if p > 0 {
			many, few, ratios = append(many, a), append(few, b), append(ratios, a/b)
		}
	}
	r.Say("  %s ns a record in turn from all: least %.1f, median %.1f; from %d: least %.1f, median %.1f; %.4f times", result, slices.Min(many), median(many), variants, slices.Min(few), median(few), median(ratios))
	r.Add(result+"ns_per_record", median(many))
	r.Add(result+"slowdown", median(ratios))
	return nil
}

// pass sends a datagram for each of 10,000 turns, which the first n exporters take,
// and gives the nanoseconds a record. An exporter's next template is another one.
func (f *fleet) pass(p, n int, enrich func(*flow.Batch)) (float64, error) {
	now := time.Now()
	began, err := threadCPU()
	if err != nil {
		return 0, err
	}
	records := 0
	for i := range manyExporters {
		e := i % n
		d := &f.datagrams[e%variants][(p+i/variants)%templatesOfEach]
		d.exporter = e
		f.sequences.stamp(d)
		f.decoder.Datagram(&f.batch, f.addrs[e], now, d.payload)
		if f.batch.Len() >= batchRecords {
			enrich(&f.batch)
			records += f.batch.Len()
			f.batch.Reset()
		}
	}
	enrich(&f.batch)
	records += f.batch.Len()
	f.batch.Reset()
	ended, err := threadCPU()
	if err != nil {
		return 0, err
	}
	if want := manyExporters * recordsOfFleet; records != want {
		return 0, fmt.Errorf("found %d of %d records", records, want)
	}
	return float64((ended - began).Nanoseconds()) / float64(records), nil
}
