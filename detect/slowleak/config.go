package slowleak

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.slowleak.
type Config struct {
	// Age is below what age a network counts as new to a system.
	Age time.Duration `yaml:"age"`
	// WarmUp is for how long a system must have been known without the network.
	WarmUp time.Duration `yaml:"warm_up"`
	// Days of the last seven on which something must have been sent: DayBytes at least.
	Days     int    `yaml:"days"`
	DayBytes uint64 `yaml:"day_bytes"`
	// Bytes is what all of it must add up to.
	Bytes uint64 `yaml:"bytes"`
	// HourBytes is from what amount in an hour on a transfer is no longer small: larger
	// ones are for the detector volume.
	HourBytes uint64 `yaml:"hour_bytes"`
	// Balance is the least (out-in)/(out+in): who leaks sends more than comes back.
	Balance float64 `yaml:"balance"`
	// Prevalence is the share of systems from which on what they talk with is common.
	Prevalence float64 `yaml:"prevalence"`
	// History is how far back the days are read that CUSUM adds up.
	History time.Duration `yaml:"history"`
	// FalsePerDay is how many systems a day CUSUM may be wrong about, over all.
	FalsePerDay float64 `yaml:"false_per_day"`
}

const day = 24 * time.Hour

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Age: 30 * day, WarmUp: 7 * day, Days: 5, DayBytes: 1_000_000, Bytes: 50_000_000, HourBytes: 50_000_000,
		Balance: 0.3, Prevalence: 0.5, History: 42 * day, FalsePerDay: 0.05,
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Age < 7*day || c.Age > 90*day || c.Age%day != 0 {
		all = append(all, config.Invalid("age", "%v does not do: use whole days, 168h to 2160h", c.Age))
	}
	if c.WarmUp < day || c.WarmUp > 30*day {
		all = append(all, config.Invalid("warm_up", "%v does not do: use 24h to 720h", c.WarmUp))
	}
	if c.Days < 1 || c.Days > 7 {
		all = append(all, config.Invalid("days", "%d does not do: use 1 to 7", c.Days))
	}
	if c.Bytes < 1_000_000 {
		all = append(all, config.Invalid("bytes", "%d is below 1000000", c.Bytes))
	}
	if c.HourBytes < c.DayBytes {
		all = append(all, config.Invalid("hour_bytes", "%d is below day_bytes", c.HourBytes))
	}
	if c.Balance < -1 || c.Balance >= 1 {
		all = append(all, config.Invalid("balance", "%g does not do: use -1 to below 1", c.Balance))
	}
	if c.Prevalence <= 0 || c.Prevalence > 1 {
		all = append(all, config.Invalid("prevalence", "%g does not do: use more than 0, at most 1", c.Prevalence))
	}
	if c.History < 21*day || c.History > 90*day || c.History%day != 0 {
		all = append(all, config.Invalid("history", "%v does not do: use whole days, 504h to 2160h", c.History))
	}
	if c.FalsePerDay <= 0 || c.FalsePerDay > 10 {
		all = append(all, config.Invalid("false_per_day", "%g does not do: use more than 0, at most 10", c.FalsePerDay))
	}
	return errors.Join(all...)
}

// times is how many times what came back must have been sent, for the balance.
func (c *Config) times() float64 { return (1 + c.Balance) / (1 - c.Balance) }
