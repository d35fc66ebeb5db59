package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/measure"
	"tapwatch/simulate/campaign"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// stored is a campaign in an embedded ClickHouse.
type stored struct {
	*bench
	*storage.Store
	campaign *campaign.Campaign
	config   app.Config
	from, to time.Time
	engine   int // its process
}

// measureStored stores a campaign, and measures on it.
func (b *bench) measureStored(ctx context.Context) error {
	cfg := campaign.DefaultConfig()
	cfg.Seed, cfg.Pairs = b.seed, b.pairs
	cfg.History = time.Duration(b.days/2) * 24 * time.Hour
	cfg.Attack = time.Duration(b.days)*24*time.Hour - cfg.History
	if b.days < 15 { // not every technique fits
		cfg.Techniques = campaign.SmallConfig().Techniques
	}
	if cfg.Attack < 2*24*time.Hour {
		cfg.Quiet = true
	}
	c, err := campaign.New(cfg)
	if err != nil {
		return err
	}
	config, err := app.CampaignConfig(c, b.dir)
	if err != nil {
		return err
	}
	config.Storage.Embedded.DataDir = filepath.Join(b.dir, "clickhouse")
	return app.WithDatabase(ctx, config.Storage, b.logger, func(db *app.Database) error {
		state, ok := embedded.Running(config.Storage.Embedded.DataDir)
		if !ok {
			return errors.New("the database is open, but its engine does not run")
		}
		s := &stored{b, db.Store, c, config, cfg.Start, cfg.Start.Add(cfg.History + cfg.Attack), state.PID}
		if err := s.fill(ctx); err != nil {
			return err
		}
		if s.has(partBacktest) {
			if err := s.runBacktest(ctx); err != nil {
				return err
			}
		}
		if s.has(partLive) {
			return s.live(ctx)
		}
		return nil
	})
}

// fill stores the campaign and makes the history.
func (s *stored) fill(ctx context.Context) error {
	s.report.Say("\ncampaign of %d days, %d pairs", s.days, s.pairs)
	began := time.Now()
	if err := app.IngestCampaign(ctx, s.config, s.campaign, s.Store, s.logger); err != nil {
		return err
	}
	stats := s.campaign.Stats()
	s.report.Say("  %d flow records of %d pairs stored in %s", stats.Records, stats.Pairs, time.Since(began).Round(time.Second))
	if err := s.settle(ctx); err != nil {
		return err
	}
	began = time.Now()
	if err := detect.Rebuild(ctx, s.Store, s.from, s.to, nil); err != nil {
		return err
	}
	took := time.Since(began)
	var sessions, hours uint64
	err := s.QueryRow(ctx, "SELECT (SELECT count() FROM sessions), (SELECT count() FROM pair_hours)").Scan(&sessions, &hours)
	if err != nil {
		return err
	}
	s.report.Say("  history made in %s: %d sessions, %d rows of pair_hours", took.Round(time.Second), sessions, hours)
	s.report.Add("campaign_records", float64(stats.Records))
	s.report.Add("campaign_pairs", float64(stats.Pairs))
	s.report.Add("history_30d_s", took.Seconds()*30/float64(s.days))
	return s.settle(ctx)
}

// settle waits for merges to end.
func (s *stored) settle(ctx context.Context) error {
	return measure.Poll(ctx, func() (bool, error) {
		var merges uint64
		err := s.QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges)
		return merges == 0, err
	})
}

// runBacktest runs all detectors over the campaign.
func (s *stored) runBacktest(ctx context.Context) error {
	all, hold, err := app.Detection(s.config)
	if err != nil {
		return err
	}
	before, err := s.cpu()
	if err != nil {
		return err
	}
	costs := map[string]time.Duration{}
	test := detect.Backtest{
		Detectors: all, History: detect.NewStored(s.Store), Window: s.config.Detect.Window, Parallel: s.config.Detect.Parallel, Hold: hold,
		Cost: func(name string, took time.Duration) { costs[name] += took },
	}
	from := s.from
	if s.bench.backtest > 0 {
		from = s.to.Add(-s.bench.backtest)
	}
	began := time.Now()
	found, err := test.Run(ctx, from, s.to)
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := s.cpu()
	if err != nil {
		return err
	}
	const month = 30 * 24 * time.Hour
	scale := float64(month) / float64(s.to.Sub(from))
	s.report.Say("\nbacktest of %s: %s, of which tapwatch computed %.1f s and the engine %.1f s; %d findings, %d alerts", s.to.Sub(from), took.Round(100*time.Millisecond),
		(after.tapwatch - before.tapwatch).Seconds(), (after.engine - before.engine).Seconds(), len(found), len(alert.FoldFindings(found)))
	for _, d := range all {
		s.report.Say("  %-12s %8.1f s", d.Name(), costs[d.Name()].Seconds())
		s.report.Add("backtest_30d_"+d.Name()+"_s", scale*costs[d.Name()].Seconds())
	}
	s.report.Add("backtest_30d_s", scale*took.Seconds())
	return nil
}
