package app

import (
	"context"
	"log/slog"

	"tapwatch/alert"
	"tapwatch/detect"
	"tapwatch/simulate/campaign"
	"tapwatch/storage"
)

// Detection gives all detectors as the configuration has them, and what tells whether a
// maintenance window holds a finding back: for programs that run them by themselves.
func Detection(cfg Config) (all []detect.Detector, hold func(*alert.Finding) bool, err error) {
	inv, err := cfg.loadInventory()
	if err != nil {
		return nil, nil, err
	}
	return detectors(cfg.Detect, inv), holder(inv.Load), nil
}

// CampaignConfig is the default configuration for the carrier of a campaign, whose
// inventory, geography and lists it writes into dir.
func CampaignConfig(c *campaign.Campaign, dir string) (Config, error) {
	e := Evaluation{Detect: defaultDetectConfig(), Dir: dir}
	return e.config(c)
}

// IngestCampaign sends a campaign's datagrams through decoder, enrichment and writer into
// the store, with the campaign's own times.
func IngestCampaign(ctx context.Context, cfg Config, c *campaign.Campaign, store *storage.Store, logger *slog.Logger) error {
	if err := ingest(ctx, cfg, store, exports(c), logger); err != nil {
		return err
	}
	return c.Err()
}
