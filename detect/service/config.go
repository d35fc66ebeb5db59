package service

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tapwatch/detect/device"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.service.
type Config struct {
	// DeviceRoles are the roles of assets that are network devices; whatever stands in
	// an infrastructure zone is one without a role.
	DeviceRoles device.Roles `yaml:"device_roles"`
	// OddPorts are ports and ranges of ports on which no device ought to answer, as "57722" or
	// "18000-18999".
	OddPorts []string `yaml:"odd_ports"`
	// OddEndings are the last two digits of ports from OddFrom on that no device ought
	// to answer on.
	OddEndings []uint16 `yaml:"odd_endings"`
	OddFrom    uint16   `yaml:"odd_from"`

	// HistoryDays is how far back a service counts as known, WarmUpDays how long a
	// system must have been seen before a service of it can be new, FreshHours how long a
	// new one stays new.
	HistoryDays int `yaml:"history_days"`
	WarmUpDays  int `yaml:"warm_up_days"`
	FreshHours  int `yaml:"fresh_hours"`
	// MinClients is how many clients make a new service an alert, ReplyBytes how much it
	// must have answered where they are fewer.
	MinClients uint64 `yaml:"min_clients"`
	ReplyBytes uint64 `yaml:"reply_bytes"`
	// Ranges are ranges of ports that are one service each: a system that has served one port of a
	// range serves them all, as FTP's passive mode and RPC do.
	Ranges []string `yaml:"ranges"`
	// MaxAlerts is how many alerts of one rule one window may raise about the same
	// client, or in the same zone; more of them fold into one.
	MaxAlerts int `yaml:"max_alerts"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		DeviceRoles: device.DefaultRoles(),
		OddPorts:    []string{"57722", "18000-18999"},
		OddEndings:  []uint16{22},
		OddFrom:     10000,
		HistoryDays: 30,
		WarmUpDays:  14,
		FreshHours:  24,
		MinClients:  2,
		ReplyBytes:  4000,
		Ranges:      []string{"32768-65535"},
		MaxAlerts:   10,
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	for key, list := range map[string][]string{"odd_ports": c.OddPorts, "ranges": c.Ranges} {
		for i, text := range list {
			if _, err := parsePorts(text); err != nil {
				all = append(all, config.Invalid(config.Index(key, i), "%v", err))
			}
		}
	}
	for i, n := range c.OddEndings {
		if n > 99 {
			all = append(all, config.Invalid(config.Index("odd_endings", i), "%d has more than two digits", n))
		}
	}
	if c.HistoryDays < 1 || c.HistoryDays > 365 {
		all = append(all, config.Invalid("history_days", "%d does not do: use 1 to 365", c.HistoryDays))
	}
	if c.WarmUpDays < 1 || c.WarmUpDays > c.HistoryDays {
		all = append(all, config.Invalid("warm_up_days", "%d does not do: use 1 to history_days", c.WarmUpDays))
	}
	if c.FreshHours < 1 || c.FreshHours > 24*c.WarmUpDays {
		all = append(all, config.Invalid("fresh_hours", "%d does not do: use 1 to the hours of warm_up_days", c.FreshHours))
	}
	if c.MinClients < 1 {
		all = append(all, config.Invalid("min_clients", "is 0: a service without clients is not seen"))
	}
	if c.MaxAlerts < 1 {
		all = append(all, config.Invalid("max_alerts", "%d is below 1", c.MaxAlerts))
	}
	return errors.Join(all...)
}

// ports is a range of ports, both ends included.
type ports struct{ first, last uint16 }

func (p ports) contain(port uint16) bool { return p.first <= port && port <= p.last }

// parsePorts reads "57722" or "18000-18999".
func parsePorts(text string) (ports, error) {
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	first, err := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if err != nil || err2 != nil || first == 0 || first > last {
		return ports{}, fmt.Errorf("%q is no port and no range of ports: write 57722 or 18000-18999", text)
	}
	return ports{uint16(first), uint16(last)}, nil
}

// portList reads ranges of a valid configuration.
func portList(texts []string) []ports {
	var all []ports
	for _, text := range texts {
		if p, err := parsePorts(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}
