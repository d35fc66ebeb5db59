package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/enrich"
	"tapwatch/flow"
	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/carrier"
	"tapwatch/internal/benchmark/measure"
	"tapwatch/storage"
)

// batchRecords is how many records are enriched and handed to the writer at a time.
const batchRecords = 16_384

// fill stores the carrier's day through the writer, and says what it took.
func (b *bench) fill(ctx context.Context) error {
	rate, err := carrier.RateFor(b.flows, carrier.Until, b.span)
	if err != nil {
		return err
	}
	b.report.Say("\nfill: about %d flows of %s, %.0f a second in the busiest hour, in inserts of %d", b.flows, b.span, rate, b.block)
	before, err := measure.CPU(b.engine)
	if err != nil {
		return err
	}
	began, registry := time.Now(), prometheus.NewRegistry()
	stored, err := b.store(ctx, rate, registry)
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := b.settle(ctx); err != nil {
		return err
	}
	after, err := measure.CPU(b.engine)
	if err != nil {
		return err
	}
	inserting, inserts, err := insertTime(registry)
	if err != nil {
		return err
	}
	millions := float64(stored) / 1e6
	b.report.Say("  %d flows in %s, made and decoded on the way: %.0f/s; %d inserts took %s: %.0f/s; the engine computed %.2f s per million, its merges until %s after the last insert included",
		stored, took.Round(time.Second), float64(stored)/took.Seconds(), inserts, inserting.Round(time.Second), float64(stored)/inserting.Seconds(),
		(after-before).Seconds()/millions, (time.Since(began) - took).Round(time.Second))
	b.report.Add("flows", float64(stored))
	b.report.Add("fill_flows_per_s", float64(stored)/took.Seconds())
	b.report.Add("insert_flows_per_s", float64(stored)/inserting.Seconds())
	b.report.Add("engine_cpu_s_per_million", (after-before).Seconds()/millions)
	return b.counted(ctx, stored)
}

// store runs the writer and feeds it.
func (b *bench) store(ctx context.Context, rate float64, registry *prometheus.Registry) (stored int, err error) {
	cfg := b.config.Storage.Config
	cfg.Name, cfg.Spool.MaxBytes = "storagebench", 0
	cfg.Batch.Records, cfg.Batch.QueueRecords = b.block, 4*b.block
	cfg.Batch.Interval = time.Minute // inserts are full
	writer, err := storage.NewWriter(cfg, slog.Default(), registry)
	if err != nil {
		return 0, err
	}
	writer.Attach(b.Store)
	decoder, chain, err := app.Stages(b.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- writer.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	f := &feed{bench: b, decoder: decoder(), chain: chain, writer: writer, began: time.Now()}
	if err := f.run(ctx, rate); err != nil {
		return 0, err
	}
	return f.records, writer.Flush(ctx)
}

// feed decodes and enriches the carrier's exports and hands them to the writer, in
// their own time.
type feed struct {
	*bench
	decoder *collector.Decoder
	chain   enrich.Chain
	writer  *storage.Writer
	batch   flow.Batch
	records int
	began   time.Time
	told    time.Time
}

func (f *feed) run(ctx context.Context, rate float64) error {
	start := carrier.Until.Add(-f.span)
	network, err := carrier.Network(start, rate)
	if err != nil {
		return err
	}
	_, err = carrier.Stream(ctx, network, start, f.span, func(from netip.AddrPort, at time.Time, datagram []byte) error {
		f.decoder.Datagram(&f.batch, from, at, datagram)
		if f.batch.Len() < batchRecords {
			return nil
		}
		f.progress(at)
		return f.flush(ctx)
	})
	if err != nil {
		return err
	}
	return f.flush(ctx)
}

func (f *feed) flush(ctx context.Context) error {
	f.chain.Enrich(&f.batch)
	f.records += f.batch.Len()
	defer f.batch.Reset()
	return f.writer.Write(ctx, &f.batch)
}

// progress says now and then how far it is.
func (f *feed) progress(at time.Time) {
	const often = 15 * time.Second
	if now := time.Now(); now.Sub(f.told) >= often {
		f.told = now
		f.report.Say("  %4.0f s: %3.0f %%, %d flows", now.Sub(f.began).Seconds(),
			100*(1-carrier.Until.Sub(at).Seconds()/f.span.Seconds()), f.records)
	}
}

// insertTime gives how long the writer's inserts took, and how many there were.
func insertTime(registry *prometheus.Registry) (time.Duration, uint64, error) {
	families, err := registry.Gather()
	if err != nil {
		return 0, 0, err
	}
	for _, family := range families {
		if family.GetName() == "tapwatch_storage_insert_seconds" {
			h := family.GetMetric()[0].GetHistogram()
			return time.Duration(h.GetSampleSum() * float64(time.Second)), h.GetSampleCount(), nil
		}
	}
	return 0, 0, errors.New("the writer has no metric tapwatch_storage_insert_seconds")
}

// counted holds that every flow is there.
func (b *bench) counted(ctx context.Context, stored int) error {
	var rows uint64
	if err := b.QueryRow(ctx, "SELECT count() FROM flows").Scan(&rows); err != nil {
		return err
	}
	if rows != uint64(stored) {
		return fmt.Errorf("%d flows were stored, but the table has %d", stored, rows)
	}
	return nil
}
