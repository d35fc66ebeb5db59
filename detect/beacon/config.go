package beacon

import (
	"errors"
	"time"

	"tapwatch/detect/pairs"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.beacon.
type Config struct {
	// Calls is how many calls of a pair are looked at, at least.
	Calls uint64 `yaml:"calls"`
	// FalseShare is how many of the pairs that are called beacons, in one look at all of
	// them, may be so by chance.
	FalseShare float64 `yaml:"false_share"`
	// Strength is the least evidence of each interval, in nats: chance has 0, a jitter of
	// ±90 % has 0.4.
	Strength float64 `yaml:"strength"`
	// Prevalence is the share of all protected systems beyond which a peer is a service
	// that many use. Three systems are never many.
	Prevalence float64 `yaml:"prevalence"`
	// WarmUp is for how long a zone must have been watched before a pair can be called
	// new, and for how long it stays so. What is older is taken for known.
	WarmUp time.Duration `yaml:"warm_up"`
	// Ignore lists services that beat by nature: "udp/123", "sctp".
	Ignore pairs.Services `yaml:"ignore"`
	// CallerHours is in how many hours an outside peer that calls must have called.
	CallerHours int `yaml:"caller_hours"`
	// MaxCallers is how many outside callers of one service have findings of their own in
	// one look; more fold into one.
	MaxCallers int `yaml:"max_callers"`
	// CoverageHours is in how many of the last 168 hours, at least, a pair that calls
	// steadily without a beat has called, CoverageVariation how much its calls of an hour
	// may vary at most (standard deviation by mean).
	CoverageHours     int     `yaml:"coverage_hours"`
	CoverageVariation float64 `yaml:"coverage_variation"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Calls: 12, FalseShare: 0.001, Strength: 0.25, Prevalence: 0.02, WarmUp: 14 * day,
		// Time, management polls and their answers, liveness of neighbours, routing.
		Ignore:      pairs.Services{"udp/123", "udp/161", "udp/162", "udp/514", "udp/3784", "udp/3785", "udp/4784", "tcp/179", "udp/646", "tcp/646"},
		CallerHours: 6, MaxCallers: 3,
		CoverageHours: 135, CoverageVariation: 0.5,
	}
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Calls < fewest+1 || c.Calls > longest {
		all = append(all, config.Invalid("calls", "%d does not do: use %d to %d", c.Calls, fewest+1, longest))
	}
	if c.FalseShare <= 0 || c.FalseShare > 0.5 {
		all = append(all, config.Invalid("false_share", "%g does not do: use more than 0 and at most 0.5", c.FalseShare))
	}
	if c.Strength < 0 || c.Strength > 5 {
		all = append(all, config.Invalid("strength", "%g does not do: use 0 to 5", c.Strength))
	}
	if c.Prevalence < 0 || c.Prevalence > 1 {
		all = append(all, config.Invalid("prevalence", "%g is no share: use 0 to 1", c.Prevalence))
	}
	if c.WarmUp < day || c.WarmUp > 365*day {
		all = append(all, config.Invalid("warm_up", "%v does not do: use 24h to 8760h", c.WarmUp))
	}
	if i := c.Ignore.Wrong(); i >= 0 {
		all = append(all, config.Invalid(config.Index("ignore", i), "%q is no service: write udp/123, or sctp", c.Ignore[i]))
	}
	if c.CallerHours < 1 || c.CallerHours > 24 {
		all = append(all, config.Invalid("caller_hours", "%d does not do: use 1 to 24", c.CallerHours))
	}
	if c.MaxCallers < 1 {
		all = append(all, config.Invalid("max_callers", "%d does not do: use 1 or more", c.MaxCallers))
	}
	if c.CoverageHours < 1 || c.CoverageHours > 168 {
		all = append(all, config.Invalid("coverage_hours", "%d does not do: use 1 to 168", c.CoverageHours))
	}
	if c.CoverageVariation <= 0 || c.CoverageVariation > 2 {
		all = append(all, config.Invalid("coverage_variation", "%g does not do: use more than 0 and at most 2", c.CoverageVariation))
	}
	return errors.Join(all...)
}
