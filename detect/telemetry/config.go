package telemetry

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.telemetry.
type Config struct {
	// Silence is how long an exporter that never pauses may be silent.
	Silence time.Duration `yaml:"silence"`
	// Gaps stretches Silence for exporters that do pause: to so many times the
	// pause that 99 of 100 of their own pauses do not exceed.
	Gaps float64 `yaml:"gaps"`
	// History is how far back an exporter's habits are read.
	History time.Duration `yaml:"history"`
	// MinBuckets is in how many ten seconds of its history an exporter must have
	// been heard before its silence means something.
	MinBuckets uint64 `yaml:"min_buckets"`
	// Repeat is how often an outage that lasts is reported again.
	Repeat time.Duration `yaml:"repeat"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{Silence: 5 * time.Minute, Gaps: 3, History: 24 * time.Hour, MinBuckets: 30, Repeat: time.Hour}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Silence < 2*time.Minute || c.Silence > 24*time.Hour {
		all = append(all, config.Invalid("silence", "%v does not do: use 2m to 24h", c.Silence))
	}
	if c.Gaps < 1 {
		all = append(all, config.Invalid("gaps", "%g is below 1", c.Gaps))
	}
	if c.History < time.Hour || c.History < 2*c.Silence || c.History > 30*24*time.Hour {
		all = append(all, config.Invalid("history", "%v does not do: use 1h to 720h, and at least twice silence", c.History))
	}
	if c.MinBuckets < 2 {
		all = append(all, config.Invalid("min_buckets", "%d is below 2", c.MinBuckets))
	}
	if c.Repeat < time.Minute {
		all = append(all, config.Invalid("repeat", "%v is below 1m", c.Repeat))
	}
	return errors.Join(all...)
}
