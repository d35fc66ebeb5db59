package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/netsampler/goflow2/v2/decoders/netflow"

	"tapwatch/collector"
	"tapwatch/enrich"
	"tapwatch/flow"
	"tapwatch/internal/app"
)

// contender is one way to work through the datagrams of a ring.
type contender interface {
	// pass works through all of them once and gives how many records it found.
	pass(r *ring) (records int, err error)
}

// batchRecords is after how many records a batch is enriched and emptied: the
// collector's default.
var batchRecords = collector.DefaultConfig().BatchRecords

// tapwatch decodes with tapwatch's decoder, and enriches unless chain is nil.
type tapwatch struct {
	decoder   *collector.Decoder
	chain     enrich.Chain
	batch     flow.Batch
	sequences sequences
}

// configuration is tapwatch's default with the geography of `make setup` and the
// example inventory.
func configuration() app.Config {
	c := app.DefaultConfig()
	c.Inventory = "inventory.example.yaml"
	c.Enrich.Geo.CountryDatabase = "build/geo/country.mmdb"
	c.Enrich.Geo.ASNDatabase = "build/geo/asn.mmdb"
	c.Collector.StateFile = ""
	return c
}

// stages gives what makes decoders, and the enrichments of the configuration.
func stages(c app.Config) (func() *collector.Decoder, enrich.Chain, error) {
	decoder, chain, err := app.Stages(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, fmt.Errorf("%w\nrun `make bench` from the root of the repository: it makes the files that are missing", err)
	}
	return decoder, chain, nil
}

func newTapwatch(decoder *collector.Decoder, chain enrich.Chain) *tapwatch {
	return &tapwatch{decoder: decoder, chain: chain, sequences: make(sequences, ringExporters)}
}

func (t *tapwatch) pass(r *ring) (int, error) {
	now, records := time.Now(), 0
	for i := range r.datagrams {
		d := &r.datagrams[i]
		t.sequences.stamp(d)
		t.decoder.Datagram(&t.batch, d.from, now, d.payload)
		if t.batch.Len() >= batchRecords {
			records += t.flush()
		}
	}
	return records + t.flush(), nil
}

// flush does what a worker's sink does with a batch, and empties it.
func (t *tapwatch) flush() int {
	n := t.batch.Len()
	t.chain.Enrich(&t.batch)
	t.batch.Reset()
	return n
}

// goflow2 decodes as goflow2's utils.NetFlowPipe does without a producer: a buffer
// and a packet for each datagram, a template system for each exporter. It is spared
// what the pipe does besides: to make a string of the address and to lock a map.
type goflow2 struct {
	templates map[netip.AddrPort]netflow.NetFlowTemplateSystem
	sequences sequences
}

func newGoflow2() *goflow2 {
	return &goflow2{map[netip.AddrPort]netflow.NetFlowTemplateSystem{}, make(sequences, ringExporters)}
}

func (g *goflow2) pass(r *ring) (int, error) {
	records := 0
	for i := range r.datagrams {
		d := &r.datagrams[i]
		g.sequences.stamp(d)
		n, err := g.decode(d)
		if err != nil {
			return records, fmt.Errorf("goflow2: %w", err)
		}
		records += n
	}
	return records, nil
}

func (g *goflow2) decode(d *datagram) (records int, err error) {
	templates, ok := g.templates[d.from]
	if !ok {
		templates = netflow.CreateTemplateSystem()
		g.templates[d.from] = templates
	}
	var v9 netflow.NFv9Packet
	var ipfix netflow.IPFIXPacket
	if err := netflow.DecodeMessageVersion(bytes.NewBuffer(d.payload), templates, &v9, &ipfix); err != nil {
		return 0, err
	}
	for _, sets := range [][]any{v9.FlowSets, ipfix.FlowSets} {
		for _, s := range sets {
			if data, ok := s.(netflow.DataFlowSet); ok {
				records += len(data.Records)
			}
		}
	}
	return records, nil
}
