package app

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/enrich"
	"tapwatch/flow"
)

// Stages gives the first stages of a configuration by themselves, for measuring them:
// what makes decoders, and the enrichments.
func Stages(cfg Config, logger *slog.Logger) (decoder func() *collector.Decoder, chain enrich.Chain, err error) {
	if err := cfg.missing(); err != nil {
		return nil, nil, err
	}
	inv, err := cfg.loadInventory()
	if err != nil {
		return nil, nil, err
	}
	enrichment, err := newEnrichment(cfg.Enrich, inv, logger, prometheus.NewRegistry())
	if err != nil {
		return nil, nil, err
	}
	decoder = func() *collector.Decoder {
		return collector.NewDecoder(cfg.Collector, protocols(), listedExporters{inv})
	}
	return decoder, enrichment.chain, nil
}

// Discard receives and enriches as Run does, and then drops the records and what was
// counted about exporters: it measures a collector without its storage. ready is
// called with the addresses once they are bound. It works until ctx ends and gives
// the number of records.
func Discard(ctx context.Context, cfg Config, ready func([]netip.AddrPort), logger *slog.Logger) (records uint64, err error) {
	if err := cfg.missing(); err != nil {
		return 0, err
	}
	inv, err := cfg.loadInventory()
	if err != nil {
		return 0, err
	}
	registry := prometheus.NewRegistry()
	enrichment, err := newEnrichment(cfg.Enrich, inv, logger, registry)
	if err != nil {
		return 0, err
	}
	sink := &discard{chain: enrichment.chain}
	c, err := collector.New(cfg.Collector, protocols(), listedExporters{inv}, sink, sink, logger, registry)
	if err != nil {
		return 0, err
	}
	if err := c.Listen(); err != nil {
		return 0, errors.Join(err, c.Close())
	}
	ready(c.Addrs())
	err = c.Run(ctx)
	return sink.records.Load(), err
}

// discard enriches, counts and drops.
type discard struct {
	chain   enrich.Chain
	records atomic.Uint64
}

// Write implements collector.Sink.
func (d *discard) Write(_ context.Context, b *flow.Batch) error {
	d.chain.Enrich(b)
	d.records.Add(uint64(b.Len()))
	return nil
}

// WriteHealth implements collector.HealthSink.
func (*discard) WriteHealth(context.Context, []flow.Health) error { return nil }
