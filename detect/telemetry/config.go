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
	// pause that 99 of 100 of their own pauses do not exceed. It holds for
	// interfaces and logs too.
	Gaps float64 `yaml:"gaps"`
	// History is how far back an exporter's habits are read.
	History time.Duration `yaml:"history"`
	// Habits is how far back is read when which interface and which log is used.
	Habits time.Duration `yaml:"habits"`
	// MinBuckets is in how many ten seconds of its history an exporter must have
	// been heard before its silence means something.
	MinBuckets uint64 `yaml:"min_buckets"`
	// MinAge is for how long it must have been heard before.
	MinAge time.Duration `yaml:"min_age"`
	// Expected is how many flows must be missing, by its own history, before a log or
	// an interface counts as silent.
	Expected float64 `yaml:"expected"`
	// Loss is which share of what an exporter sent may be lost.
	Loss float64 `yaml:"loss"`
	// Repeat is how often an outage that lasts is reported again.
	Repeat time.Duration `yaml:"repeat"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Silence: 5 * time.Minute, Gaps: 3, History: 24 * time.Hour, Habits: 7 * day, MinBuckets: 30, MinAge: time.Hour,
		Expected: 20, Loss: 0.01, Repeat: time.Hour,
	}
}

const day = 24 * time.Hour

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Silence < 2*time.Minute || c.Silence > 24*time.Hour {
		all = append(all, config.Invalid("silence", "%v does not do: use 2m to 24h", c.Silence))
	}
	if c.Gaps < 1 {
		all = append(all, config.Invalid("gaps", "%g is below 1", c.Gaps))
	}
	if c.History < time.Hour || c.History < 2*c.Silence || c.History > 30*day {
		all = append(all, config.Invalid("history", "%v does not do: use 1h to 720h, and at least twice silence", c.History))
	}
	if c.Habits < 2*day || c.Habits > 28*day || c.Habits%day != 0 {
		all = append(all, config.Invalid("habits", "%v does not do: use whole days, 48h to 672h", c.Habits))
	}
	if c.MinBuckets < 2 {
		all = append(all, config.Invalid("min_buckets", "%d is below 2", c.MinBuckets))
	}
	if c.MinAge < 0 || c.MinAge > c.History {
		all = append(all, config.Invalid("min_age", "%v does not do: use 0s up to history", c.MinAge))
	}
	if c.Expected < 5 {
		all = append(all, config.Invalid("expected", "%g is below 5", c.Expected))
	}
	if c.Loss <= 0 || c.Loss >= 1 {
		all = append(all, config.Invalid("loss", "%g does not do: use a share above 0 and below 1", c.Loss))
	}
	if c.Repeat < time.Minute {
		all = append(all, config.Invalid("repeat", "%v is below 1m", c.Repeat))
	}
	return errors.Join(all...)
}
