package tunnel

import (
	"errors"

	"tapwatch/detect/device"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.tunnel.
type Config struct {
	// DeviceRoles are the roles of assets that are network devices; whatever stands in
	// an infrastructure zone is one without a role.
	DeviceRoles device.Roles `yaml:"device_roles"`
	// ExemptRoles are the roles of assets that end tunnels by trade, with peers that
	// nobody lists.
	ExemptRoles []string `yaml:"exempt_roles"`
	// MaxAlerts is how many tunnels of one window may have alerts of their own at the
	// same endpoint; more of them fold into one.
	MaxAlerts int `yaml:"max_alerts"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		DeviceRoles: device.DefaultRoles(),
		ExemptRoles: []string{"epdg", "n3iwf", "segw", "vpn"},
		MaxAlerts:   5,
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.MaxAlerts < 1 {
		all = append(all, config.Invalid("max_alerts", "%d is below 1", c.MaxAlerts))
	}
	return errors.Join(all...)
}
