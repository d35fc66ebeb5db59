package policy

import (
	"errors"

	"tapwatch/detect/device"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.policy.
type Config struct {
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

	// DeviceRoles are the roles of assets that are network devices; whatever stands in
	// an infrastructure zone is one without a role.
	DeviceRoles device.Roles `yaml:"device_roles"`
	// ManagementTCP and ManagementUDP are the ports over which devices are managed.
	ManagementTCP []uint16 `yaml:"management_tcp"`
	ManagementUDP []uint16 `yaml:"management_udp"`
	// LegacyTCP and LegacyUDP are the ports of services that no device ought to have.
	LegacyTCP []uint16 `yaml:"legacy_tcp"`
	LegacyUDP []uint16 `yaml:"legacy_udp"`
	// MaxPerDevice is how many alerts of one rule about devices one window may raise
	// about the same opener, or in the same zone; more of them fold into one.
	MaxPerDevice int `yaml:"max_per_device"`
}

// The values of Config.WithinZone.
const (
	WithinZoneAllow = "allow"
	WithinZoneRules = "rules"
)

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		WithinZone: WithinZoneAllow, UnlistedAssets: true, MaxPerAsset: 50,
		DeviceRoles:   device.DefaultRoles(),
		ManagementTCP: []uint16{22, 23, 80, 443, 830, 6513, 8080, 8291, 8443, 8728, 8729, 9339, 10161, 32767, 50051, 57400},
		ManagementUDP: []uint16{161, 10161},
		LegacyTCP:     []uint16{21, 23, 4786},
		LegacyUDP:     []uint16{69},
		MaxPerDevice:  10,
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.WithinZone != WithinZoneAllow && c.WithinZone != WithinZoneRules {
		all = append(all, config.Invalid("within_zone", "%q is unknown: use %s or %s", c.WithinZone, WithinZoneAllow, WithinZoneRules))
	}
	if c.MaxPerAsset < 1 {
		all = append(all, config.Invalid("max_per_asset", "%d is below 1", c.MaxPerAsset))
	}
	if c.MaxPerDevice < 1 {
		all = append(all, config.Invalid("max_per_device", "%d is below 1", c.MaxPerDevice))
	}
	return errors.Join(all...)
}
