package volume

import (
	"errors"
	"time"

	"tapwatch/detect/baseline"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.volume.
type Config struct {
	// History is how far back what is usual is read.
	History time.Duration `yaml:"history"`
	// WarmUp is for how long a system must be known before anything is called unusual.
	WarmUp time.Duration `yaml:"warm_up"`
	// Bytes is the least that a system must send in the unusual ones of three hours, or
	// of three times five minutes.
	Bytes uint64 `yaml:"bytes"`
	// OnceBytes is what is enough in a single one of these.
	OnceBytes uint64 `yaml:"once_bytes"`
	// AllowedBytes takes the place of Bytes for what a rule of the inventory allows; 0:
	// the amount of what is allowed is not looked at.
	AllowedBytes uint64 `yaml:"allowed_bytes"`
	// Score is how many spreads above the usual an amount must be.
	Score float64 `yaml:"score"`
	// Floor is the least spread of an hour's amount, as a natural logarithm.
	Floor float64 `yaml:"floor"`
	// DayBytes is the least that a system must send in a day for the ratio of its
	// directions to be judged; 0: the ratio is not looked at.
	DayBytes uint64 `yaml:"day_bytes"`
	// Shift is by how much the ratio (out-in)/(out+in) must rise.
	Shift float64 `yaml:"shift"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		History: 28 * day, WarmUp: 7 * day,
		Bytes: 50_000_000, OnceBytes: 500_000_000, AllowedBytes: 1_000_000_000,
		Score: 4.5, Floor: 0.3,
		DayBytes: 20_000_000, Shift: 0.6,
	}
}

const day = 24 * time.Hour

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.History < 7*day || c.History > 90*day || c.History%day != 0 {
		all = append(all, config.Invalid("history", "%v does not do: use whole days, 168h to 2160h", c.History))
	}
	if c.WarmUp < day || c.WarmUp > c.History {
		all = append(all, config.Invalid("warm_up", "%v does not do: use 24h to history", c.WarmUp))
	}
	if c.Bytes < 1_000_000 {
		all = append(all, config.Invalid("bytes", "%d is below 1000000", c.Bytes))
	}
	if c.OnceBytes < c.Bytes {
		all = append(all, config.Invalid("once_bytes", "%d is below bytes", c.OnceBytes))
	}
	if c.AllowedBytes > 0 && c.AllowedBytes < c.Bytes {
		all = append(all, config.Invalid("allowed_bytes", "%d is below bytes; 0 for never", c.AllowedBytes))
	}
	if c.Score < 3 || c.Score > 20 {
		all = append(all, config.Invalid("score", "%g does not do: use 3 to 20", c.Score))
	}
	if c.Floor < 0.05 || c.Floor > 2 {
		all = append(all, config.Invalid("floor", "%g does not do: use 0.05 to 2", c.Floor))
	}
	if c.Shift <= 0 || c.Shift > 2 {
		all = append(all, config.Invalid("shift", "%g does not do: use more than 0, at most 2", c.Shift))
	}
	return errors.Join(all...)
}

// model is how the usual amount of a slot is learned.
func (c *Config) model() baseline.Model {
	m := baseline.Default()
	m.Floor = c.Floor
	return m
}
