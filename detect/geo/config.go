package geo

import (
	"errors"
	"slices"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.geo.
type Config struct {
	// OuterRoles are the roles of interfaces that lead out of the network, as
	// exporters[].interfaces of the inventory names them. No packet from a protected zone
	// comes in there.
	OuterRoles []string `yaml:"outer_roles"`
	// MaxPerFence is how many alerts about one fence a window may raise; what is more
	// shares one.
	MaxPerFence int `yaml:"max_per_fence"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{OuterRoles: []string{"peering", "transit", "customer"}, MaxPerFence: 10}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	for i, role := range c.OuterRoles {
		if role == "" {
			all = append(all, config.Invalid(config.Index("outer_roles", i), "is empty: name a role of exporters[].interfaces, or remove it"))
		} else if slices.Index(c.OuterRoles, role) < i {
			all = append(all, config.Invalid(config.Index("outer_roles", i), "%q stands there twice: remove one", role))
		}
	}
	if c.MaxPerFence < 1 {
		all = append(all, config.Invalid("max_per_fence", "%d is below 1", c.MaxPerFence))
	}
	return errors.Join(all...)
}
