package app

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/collector/sflow"
	"tapwatch/detect"
	"tapwatch/detect/aaa"
	"tapwatch/detect/beacon"
	"tapwatch/detect/firstseen"
	detectgeo "tapwatch/detect/geo"
	"tapwatch/detect/intel"
	"tapwatch/detect/longsession"
	"tapwatch/detect/mirror"
	"tapwatch/detect/offhours"
	"tapwatch/detect/policy"
	"tapwatch/detect/relay"
	"tapwatch/detect/scan"
	"tapwatch/detect/service"
	"tapwatch/detect/slowleak"
	"tapwatch/detect/staging"
	"tapwatch/detect/telemetry"
	"tapwatch/detect/transfer"
	"tapwatch/detect/tunnel"
	"tapwatch/detect/volume"
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
	Policy        policy.Config      `yaml:"policy"`
	Service       service.Config     `yaml:"service"`
	AAA           aaa.Config         `yaml:"aaa"`
	Transfer      transfer.Config    `yaml:"transfer"`
	Tunnel        tunnel.Config      `yaml:"tunnel"`
	Intel         intel.Config       `yaml:"intel"`
	Geo           detectgeo.Config   `yaml:"geo"`
	Volume        volume.Config      `yaml:"volume"`
	SlowLeak      slowleak.Config    `yaml:"slowleak"`
	Staging       staging.Config     `yaml:"staging"`
	Beacon        beacon.Config      `yaml:"beacon"`
	LongSession   longsession.Config `yaml:"longsession"`
	Relay         relay.Config       `yaml:"relay"`
	Mirror        mirror.Config      `yaml:"mirror"`
	FirstSeen     firstseen.Config   `yaml:"firstseen"`
	OffHours      offhours.Config    `yaml:"offhours"`
	Scan          scan.Config        `yaml:"scan"`
	Telemetry     telemetry.Config   `yaml:"telemetry"`
}

func defaultDetectConfig() DetectConfig {
	return DetectConfig{
		Config:      detect.DefaultConfig(),
		Policy:      policy.DefaultConfig(),
		Service:     service.DefaultConfig(),
		AAA:         aaa.DefaultConfig(),
		Transfer:    transfer.DefaultConfig(),
		Tunnel:      tunnel.DefaultConfig(),
		Intel:       intel.DefaultConfig(),
		Geo:         detectgeo.DefaultConfig(),
		Volume:      volume.DefaultConfig(),
		SlowLeak:    slowleak.DefaultConfig(),
		Staging:     staging.DefaultConfig(),
		Beacon:      beacon.DefaultConfig(),
		LongSession: longsession.DefaultConfig(),
		Relay:       relay.DefaultConfig(),
		Mirror:      mirror.DefaultConfig(),
		FirstSeen:   firstseen.DefaultConfig(),
		OffHours:    offhours.DefaultConfig(),
		Scan:        scan.DefaultConfig(),
		Telemetry:   telemetry.DefaultConfig(),
	}
}

func (c *DetectConfig) validate() error {
	return errors.Join(
		c.Config.Validate(),
		config.Under("policy", c.Policy.Validate()),
		config.Under("service", c.Service.Validate()),
		config.Under("aaa", c.AAA.Validate()),
		config.Under("transfer", c.Transfer.Validate()),
		config.Under("tunnel", c.Tunnel.Validate()),
		config.Under("intel", c.Intel.Validate()),
		config.Under("geo", c.Geo.Validate()),
		config.Under("volume", c.Volume.Validate()),
		config.Under("slowleak", c.SlowLeak.Validate()),
		config.Under("staging", c.Staging.Validate()),
		config.Under("beacon", c.Beacon.Validate()),
		config.Under("longsession", c.LongSession.Validate()),
		config.Under("relay", c.Relay.Validate()),
		config.Under("mirror", c.Mirror.Validate()),
		config.Under("firstseen", c.FirstSeen.Validate()),
		config.Under("offhours", c.OffHours.Validate()),
		config.Under("scan", c.Scan.Validate()),
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
		service.New(c.Service, inv.Load),
		aaa.New(c.AAA, inv.Load),
		transfer.New(c.Transfer, inv.Load),
		tunnel.New(c.Tunnel, inv.Load),
		intel.New(c.Intel, inv.Load),
		detectgeo.New(c.Geo, inv.Load),
		volume.New(c.Volume, inv.Load),
		slowleak.New(c.SlowLeak, inv.Load),
		staging.New(c.Staging, inv.Load),
		beacon.New(c.Beacon, inv.Load),
		longsession.New(c.LongSession, inv.Load),
		relay.New(c.Relay, inv.Load),
		mirror.New(c.Mirror, inv.Load),
		firstseen.New(c.FirstSeen, inv.Load),
		offhours.New(c.OffHours, inv.Load),
		scan.New(c.Scan, inv.Load),
		telemetry.New(c.Telemetry, inv.Load),
	}
}

// enrichment is the chain, with what reloads parts of it.
type enrichment struct {
	chain   enrich.Chain
	reloads []func() error
	intel   *enrichintel.Enricher
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
		intel:   i,
	}, nil
}
