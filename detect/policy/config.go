package policy

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.policy.
type Config struct {
	// Horizon is how long before a window an answer, or who opened a conversation,
	// is looked for.
	Horizon time.Duration `yaml:"horizon"`
	// WithinZone says what counts inside one lawful-intercept zone: "allow" allows
	// all of it, "rules" wants an allow rule for that too.
	WithinZone string `yaml:"within_zone"`
	// UnlistedAssets also reports allowed traffic of a zone's address that no asset
	// owns: a system that nobody entered in the inventory.
	UnlistedAssets bool `yaml:"unlisted_assets"`
	// MaxPerAsset is how many findings of one rule in one window an asset may have,
	// or an address outside the zone, or all addresses of a zone that no asset owns
	// together. The rest of each folds into one finding.
	MaxPerAsset int `yaml:"max_per_asset"`
}

// The values of Config.WithinZone.
const (
	WithinZoneAllow = "allow"
	WithinZoneRules = "rules"
)

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{Horizon: 5 * time.Minute, WithinZone: WithinZoneAllow, UnlistedAssets: true, MaxPerAsset: 50}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Horizon < 0 || c.Horizon > time.Hour {
		all = append(all, config.Invalid("horizon", "%v does not do: use 0s to 1h", c.Horizon))
	}
	if c.WithinZone != WithinZoneAllow && c.WithinZone != WithinZoneRules {
		all = append(all, config.Invalid("within_zone", "%q is unknown: use %s or %s", c.WithinZone, WithinZoneAllow, WithinZoneRules))
	}
	if c.MaxPerAsset < 1 {
		all = append(all, config.Invalid("max_per_asset", "%d is below 1", c.MaxPerAsset))
	}
	return errors.Join(all...)
}
