package transfer

import (
	"errors"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/device"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.transfer.
type Config struct {
	// Services are the names of the inventory's services to which devices may send
	// files.
	Services []string `yaml:"services"`
	// DeviceRoles are the roles of assets that are network devices; whatever stands in
	// an infrastructure zone is one without a role.
	DeviceRoles device.Roles `yaml:"device_roles"`
	// TCP are the ports over which a device can send files, FTP's data port 20 included.
	TCP []uint16 `yaml:"tcp"`
	// Bytes is how much one transfer must have sent, in the window and five minutes
	// before it.
	Bytes uint64 `yaml:"bytes"`
	// Link is how long after a request over TFTP the data, from other ports, may begin.
	Link time.Duration `yaml:"link"`
	// MaxAlerts is how many alerts of one rule one window may raise about the same
	// device, or the same other end; more of them fold into one.
	MaxAlerts int `yaml:"max_alerts"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Services:    []string{"archive"},
		DeviceRoles: device.DefaultRoles(),
		TCP:         []uint16{20, 21, 22, 80, 443, 989, 990, 8443},
		Bytes:       10_000,
		Link:        time.Minute,
		MaxAlerts:   10,
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if len(c.Services) == 0 {
		all = append(all, config.Invalid("services", "is empty: name the inventory's service that devices may send files to, such as archive"))
	}
	if c.Bytes == 0 {
		all = append(all, config.Invalid("bytes", "is 0: any byte would count"))
	}
	if c.Link < 0 || c.Link > detect.Horizon {
		all = append(all, config.Invalid("link", "%v does not do: use 0s to %v", c.Link, detect.Horizon))
	}
	if c.MaxAlerts < 1 {
		all = append(all, config.Invalid("max_alerts", "%d is below 1", c.MaxAlerts))
	}
	return errors.Join(all...)
}
