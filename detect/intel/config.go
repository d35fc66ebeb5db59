package intel

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.intel.
type Config struct {
	// Probes also reports what listed addresses tried and nobody answered: one low
	// alert for each list and zone.
	Probes bool `yaml:"probes"`
	// ExfiltrationBytes is how much a protected system must send to a listed address
	// in one window to be called an exfiltration.
	ExfiltrationBytes uint64 `yaml:"exfiltration_bytes"`
	// HeavyBytes is how much must go between them in a day to make it graver.
	HeavyBytes uint64 `yaml:"heavy_bytes"`
	// MaxEntries is with how many entries of a list one system may talk in a day, and
	// how many systems one entry may talk with in a window, before one alert stands for
	// all.
	MaxEntries int `yaml:"max_entries"`
	// Lookback is how far back flows are matched with an indicator that has come new.
	Lookback time.Duration `yaml:"lookback"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{Probes: true, ExfiltrationBytes: 1_000_000, HeavyBytes: 25_000_000, MaxEntries: 5, Lookback: 365 * 24 * time.Hour}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.ExfiltrationBytes == 0 {
		all = append(all, config.Invalid("exfiltration_bytes", "is 0: any byte would count"))
	}
	if c.HeavyBytes == 0 {
		all = append(all, config.Invalid("heavy_bytes", "is 0: any byte would count"))
	}
	if c.MaxEntries < 1 {
		all = append(all, config.Invalid("max_entries", "%d is below 1", c.MaxEntries))
	}
	if c.Lookback < 0 {
		all = append(all, config.Invalid("lookback", "%v is below 0s", c.Lookback))
	}
	return errors.Join(all...)
}
