package app

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/collector/sflow"
	"tapwatch/detect"
	"tapwatch/detect/intel"
	"tapwatch/detect/policy"
	"tapwatch/detect/telemetry"
	"tapwatch/enrich"
	"tapwatch/enrich/geo"
	enrichintel "tapwatch/enrich/intel"
	"tapwatch/enrich/orient"
	"tapwatch/enrich/zone"
	"tapwatch/internal/config"
	"tapwatch/inventory"
)

// DetectConfig is the part `detect`: the engine's settings and each detector's.
type DetectConfig struct {
	detect.Config `yaml:",inline"`
	Policy        policy.Config    `yaml:"policy"`
	Intel         intel.Config     `yaml:"intel"`
	Telemetry     telemetry.Config `yaml:"telemetry"`
}

func defaultDetectConfig() DetectConfig {
	return DetectConfig{
		Config:    detect.DefaultConfig(),
		Policy:    policy.DefaultConfig(),
		Intel:     intel.DefaultConfig(),
		Telemetry: telemetry.DefaultConfig(),
	}
}

func (c *DetectConfig) validate() error {
	return errors.Join(
		c.Config.Validate(),
		config.Under("policy", c.Policy.Validate()),
		config.Under("intel", c.Intel.Validate()),
		config.Under("telemetry", c.Telemetry.Validate()),
	)
}

// protocols lists every export protocol that the collector speaks.
func protocols() []collector.Protocol {
	return []collector.Protocol{netflow.Protocol{}, sflow.Protocol{}}
}

// detectors lists every detector, in the order they run.
func detectors(c DetectConfig, inv *inventory.Live) []detect.Detector {
	return []detect.Detector{
		policy.New(c.Policy, inv.Load),
		intel.New(c.Intel, inv.Load),
		telemetry.New(c.Telemetry, inv.Load),
	}
}

// enrichment is the chain, with what reloads parts of it.
type enrichment struct {
	chain   enrich.Chain
	reloads []func() error
}

// newEnrichment lists every enrichment, in the order they run.
func newEnrichment(c EnrichConfig, inv *inventory.Live, logger *slog.Logger, reg prometheus.Registerer) (*enrichment, error) {
	g, err := geo.New(c.Geo, logger, reg)
	if err != nil {
		return nil, err
	}
	i, err := enrichintel.New(c.Intel, logger, reg)
	if err != nil {
		return nil, err
	}
	return &enrichment{
		chain:   enrich.Chain{g, zone.New(inv.Load), i, orient.ForInventory(inv.Load)},
		reloads: []func() error{g.Reload, i.Reload},
	}, nil
}
