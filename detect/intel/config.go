package intel

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.intel.
type Config struct {
	// Horizon is how long before a window an answer, or who opened a conversation,
	// is looked for.
	Horizon time.Duration `yaml:"horizon"`
	// Probes also reports what a listed address tried and nobody answered: one low
	// alert for each indicator and zone.
	Probes bool `yaml:"probes"`
	// ExfiltrationBytes is how much a protected system must send to a listed address
	// in one window to be called an exfiltration.
	ExfiltrationBytes uint64 `yaml:"exfiltration_bytes"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{Horizon: 5 * time.Minute, Probes: true, ExfiltrationBytes: 1_000_000}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Horizon < 0 || c.Horizon > time.Hour {
		all = append(all, config.Invalid("horizon", "%v does not do: use 0s to 1h", c.Horizon))
	}
	if c.ExfiltrationBytes == 0 {
		all = append(all, config.Invalid("exfiltration_bytes", "is 0: any byte would count"))
	}
	return errors.Join(all...)
}
