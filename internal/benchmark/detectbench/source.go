package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
	"tapwatch/internal/app"
	"tapwatch/simulate/campaign"
	"tapwatch/storage"
)

// source gives the campaign's watched flow records, in their order and over and over, at
// a rate of their own.
type source struct {
	*stored
	next func() (campaign.Datagram, bool)
	stop func()
}

func newSource(s *stored) *source {
	next, stop := iter.Pull(func(yield func(campaign.Datagram) bool) {
		for {
			for d := range s.campaign.Datagrams() {
				if !yield(d) {
					return
				}
			}
		}
	})
	return &source{s, next, stop}
}

func (s *source) close() { s.stop() }

// sourceBatch is how many records are decoded before they are written.
const sourceBatch = 16_384

// store fills an hour: one record after the other in even steps, each with the durations
// that it has.
func (s *source) store(ctx context.Context, hour time.Time, rate float64) (err error) {
	cfg := s.config.Storage.Config
	cfg.Name, cfg.Spool.MaxBytes, cfg.Batch.Interval = "detectbench", 0, time.Minute
	writer, err := storage.NewWriter(cfg, s.logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	writer.Attach(s.Store)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- writer.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	newDecoder, chain, err := app.Stages(s.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	decoder := newDecoder()
	var decoded, watched flow.Batch
	for n, records := 0, int(rate*3600); n < records; {
		d, more := s.next()
		if !more {
			return errors.Join(errors.New("the campaign has no flow records"), s.campaign.Err())
		}
		decoder.Datagram(&decoded, netip.AddrPortFrom(d.From, 2055), d.At, d.Payload)
		if decoded.Len() < sourceBatch {
			continue
		}
		chain.Enrich(&decoded)
		for row := 0; row < decoded.Len() && n < records; row++ {
			if decoded.Watched[row] {
				watched.AppendFrom(&decoded, row)
				at := hour.UnixMilli() + int64(float64(n)*1000/rate)
				warp(&watched, watched.Len()-1, at)
				n++
			}
		}
		decoded.Reset()
		if err := writer.Write(ctx, &watched); err != nil {
			return err
		}
		watched.Reset()
	}
	if err := writer.Flush(ctx); err != nil {
		return err
	}
	return s.settle(ctx)
}

// warp moves a record to another time.
func warp(b *flow.Batch, row int, at int64) {
	by := at - b.ReceivedAt[row]
	b.ReceivedAt[row] = at
	for _, t := range []*int64{&b.StartAt[row], &b.EndAt[row]} {
		if *t != 0 {
			*t += by
		}
	}
}
