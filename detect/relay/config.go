package relay

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.relay.
type Config struct {
	// Lag is how long after a session came in the one that goes on begins, at most.
	Lag time.Duration `yaml:"lag"`
	// Tolerance is by what share the bytes of the two may differ, each way.
	Tolerance float64 `yaml:"tolerance"`
	// Bytes is what a session must have carried to be compared.
	Bytes uint64 `yaml:"bytes"`
	// Episodes is how often a session must have gone on so.
	Episodes int `yaml:"episodes"`
	// Lookback is how far before a window's end episodes are counted.
	Lookback time.Duration `yaml:"lookback"`
	// Chance is how often, at most, the rates of both would give as many episodes.
	Chance float64 `yaml:"chance"`
	// WarmUp is for how long a zone must have been watched before a pair can be called
	// new, and for how long it stays so: one of the two sessions must be.
	WarmUp time.Duration `yaml:"warm_up"`
	// Roles are those of systems that are there to relay.
	Roles []string `yaml:"roles"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Lag: 5 * time.Second, Tolerance: 0.1, Bytes: 2000, Episodes: 3, Lookback: 7 * day, Chance: 1e-6, WarmUp: 14 * day,
		Roles: []string{"proxy", "sbc", "bastion", "jump", "dra", "sepp", "scp", "load-balancer", "firewall", "nat", "mediation"},
	}
}

const day = 24 * time.Hour

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Lag < time.Second || c.Lag > time.Minute {
		all = append(all, config.Invalid("lag", "%v does not do: use 1s to 1m", c.Lag))
	}
	if c.Tolerance <= 0 || c.Tolerance > 0.5 {
		all = append(all, config.Invalid("tolerance", "%g does not do: use more than 0 and at most 0.5", c.Tolerance))
	}
	if c.Episodes < 2 || c.Episodes > 1000 {
		all = append(all, config.Invalid("episodes", "%d does not do: use 2 to 1000", c.Episodes))
	}
	if c.Lookback < 2*time.Hour || c.Lookback > 30*day {
		all = append(all, config.Invalid("lookback", "%v does not do: use 2h to 720h", c.Lookback))
	}
	if c.Chance <= 0 || c.Chance > 0.1 {
		all = append(all, config.Invalid("chance", "%g does not do: use more than 0 and at most 0.1", c.Chance))
	}
	if c.WarmUp < day || c.WarmUp > 365*day {
		all = append(all, config.Invalid("warm_up", "%v does not do: use 24h to 8760h", c.WarmUp))
	}
	if i := slices.IndexFunc(c.Roles, func(role string) bool { return strings.TrimSpace(role) == "" }); i >= 0 {
		all = append(all, config.Invalid(config.Index("roles", i), "is empty: name a role of the inventory"))
	}
	return errors.Join(all...)
}
