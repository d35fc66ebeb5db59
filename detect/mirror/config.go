package mirror

import (
	"errors"

	"tapwatch/detect/pairs"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.mirror.
type Config struct {
	// Correlation is how closely the bytes of the minutes must follow the other traffic
	// at least: Pearson's r, corrected for what sampling blurs.
	Correlation float64 `yaml:"correlation"`
	// Chance is how often, at most, unrelated traffic would follow as closely.
	Chance float64 `yaml:"chance"`
	// Reverse is the share of packets that may come back.
	Reverse float64 `yaml:"reverse"`
	// Bytes is what must have been sent in the hour.
	Bytes uint64 `yaml:"bytes"`
	// Reliability is how much of the variation of a series may be due to what it is, not
	// to sampling, at least: below, nothing is said of it.
	Reliability float64 `yaml:"reliability"`
	// IgnoreInside lists services that routers send one way to inside collectors, by
	// nature in step with their traffic.
	IgnoreInside pairs.Services `yaml:"ignore_inside"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{Correlation: 0.9, Chance: 1e-4, Reverse: 0.01, Bytes: 1_000_000, Reliability: 0.6,
		// NetFlow, IPFIX, sFlow, syslog, SNMP traps.
		IgnoreInside: pairs.Services{"udp/2055", "udp/4739", "udp/6343", "udp/9995", "udp/9996", "udp/514", "udp/162"}}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Correlation < 0.5 || c.Correlation >= 1 {
		all = append(all, config.Invalid("correlation", "%g does not do: use 0.5 to less than 1", c.Correlation))
	}
	if c.Chance <= 0 || c.Chance > 0.1 {
		all = append(all, config.Invalid("chance", "%g does not do: use more than 0 and at most 0.1", c.Chance))
	}
	if c.Reverse < 0 || c.Reverse > 0.2 {
		all = append(all, config.Invalid("reverse", "%g does not do: use 0 to 0.2", c.Reverse))
	}
	if c.Reliability < 0.3 || c.Reliability > 1 {
		all = append(all, config.Invalid("reliability", "%g does not do: use 0.3 to 1", c.Reliability))
	}
	if i := c.IgnoreInside.Wrong(); i >= 0 {
		all = append(all, config.Invalid(config.Index("ignore_inside", i), "%q is no service: write udp/4739, or gre", c.IgnoreInside[i]))
	}
	return errors.Join(all...)
}
