package aaa

import (
	"errors"

	"tapwatch/detect/device"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.aaa.
type Config struct {
	// Services are the names of the inventory's services that hold the AAA servers,
	// those for failover too.
	Services []string `yaml:"services"`
	// DeviceRoles are the roles of assets that are network devices; whatever stands in
	// an infrastructure zone is one without a role.
	DeviceRoles device.Roles `yaml:"device_roles"`
	// TCP and UDP are the ports of AAA.
	TCP []uint16 `yaml:"tcp"`
	UDP []uint16 `yaml:"udp"`
	// MaxAlerts is how many servers one window may raise an alert about in the same zone
	// or outside; more of them fold into one.
	MaxAlerts int `yaml:"max_alerts"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Services:    []string{"aaa"},
		DeviceRoles: device.DefaultRoles(),
		TCP:         []uint16{49, 2083},
		UDP:         []uint16{1812, 1813, 1645, 1646},
		MaxAlerts:   10,
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if len(c.Services) == 0 {
		all = append(all, config.Invalid("services", "is empty: name the inventory's service of AAA servers, such as aaa"))
	}
	if len(c.TCP)+len(c.UDP) == 0 {
		all = append(all, config.Invalid("tcp", "is empty, and so is udp: there is nothing to look at"))
	}
	if c.MaxAlerts < 1 {
		all = append(all, config.Invalid("max_alerts", "%d is below 1", c.MaxAlerts))
	}
	return errors.Join(all...)
}
