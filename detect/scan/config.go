package scan

import (
	"errors"
	"time"

	"tapwatch/detect"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.scan.
type Config struct {
	// SuccessBenign and SuccessScanner are how often a first contact succeeds for who
	// means well and for who scans: θ0 and θ1 of the sequential test.
	SuccessBenign  float64 `yaml:"success_benign"`
	SuccessScanner float64 `yaml:"success_scanner"`
	// FalsePositive and Miss are the errors that the test may make: α and β.
	FalsePositive float64 `yaml:"false_positive"`
	Miss          float64 `yaml:"miss"`
	// Fast is the time in which a fast scan is looked for.
	Fast time.Duration `yaml:"fast"`
	// Ports is how many ports of one system within Fast are a port scan.
	Ports int `yaml:"ports"`
	// Slow is the time in which a slow scan is looked for, SlowTargets how many new
	// systems make one and SlowFailed the share of these that must have failed.
	Slow        time.Duration `yaml:"slow"`
	SlowTargets int           `yaml:"slow_targets"`
	SlowFailed  float64       `yaml:"slow_failed"`
	// History is how far back a contact is an old one.
	History time.Duration `yaml:"history"`
	// OneWay are UDP ports on which nobody answers.
	OneWay []uint16 `yaml:"one_way"`
	// Outside says what becomes of scanners outside all zones: OutsideDaily folds them
	// into one low alert for each zone, which a day adds to; OutsideSilent says nothing.
	Outside string `yaml:"outside"`
	// SNMPDevices within SNMPTime, or SNMPPackets to one of them, are an SNMP walk.
	SNMPDevices int           `yaml:"snmp_devices"`
	SNMPPackets uint64        `yaml:"snmp_packets"`
	SNMPTime    time.Duration `yaml:"snmp_time"`
	// SNMPManagers are the inventory's services whose members may walk.
	SNMPManagers []string `yaml:"snmp_managers"`
}

// The values of Config.Outside.
const (
	OutsideDaily  = "daily"
	OutsideSilent = "silent"
)

// DefaultConfig returns the configuration of a detector that nobody configured. The
// sequential test is that of Jung et al. 2004; see README.md for the rest.
func DefaultConfig() Config {
	return Config{
		SuccessBenign: 0.8, SuccessScanner: 0.2, FalsePositive: 0.01, Miss: 0.01,
		Fast: 5 * time.Minute, Ports: 15,
		Slow: 7 * 24 * time.Hour, SlowTargets: 5, SlowFailed: 0.5, History: 30 * 24 * time.Hour,
		OneWay: []uint16{162, 514, 2055, 4739, 6343, 9995, 9996}, Outside: OutsideDaily,
		SNMPDevices: 5, SNMPPackets: 500, SNMPTime: 10 * time.Minute, SNMPManagers: []string{"nms"},
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	bad := func(wrong bool, key, format string, args ...any) {
		if wrong {
			all = append(all, config.Invalid(key, format, args...))
		}
	}
	bad(c.SuccessBenign <= 0 || c.SuccessBenign >= 1, "success_benign", "%v does not do: use what is above 0 and below 1", c.SuccessBenign)
	bad(c.SuccessScanner <= 0 || c.SuccessScanner >= c.SuccessBenign, "success_scanner", "%v does not do: use what is above 0 and below success_benign", c.SuccessScanner)
	bad(c.FalsePositive <= 0 || c.FalsePositive >= 0.5, "false_positive", "%v does not do: use what is above 0 and below 0.5", c.FalsePositive)
	bad(c.Miss <= 0 || c.Miss >= 0.5, "miss", "%v does not do: use what is above 0 and below 0.5", c.Miss)
	bad(!panes(c.Fast, time.Hour), "fast", "%v does not do: use a multiple of %v, up to 1h", c.Fast, detect.Pane)
	bad(c.Ports < 2, "ports", "%d is below 2", c.Ports)
	bad(c.Slow < time.Hour || c.Slow > 90*24*time.Hour, "slow", "%v does not do: use 1h to 2160h", c.Slow)
	bad(c.SlowTargets < 2, "slow_targets", "%d is below 2", c.SlowTargets)
	bad(c.SlowFailed <= 0 || c.SlowFailed > 1, "slow_failed", "%v does not do: use what is above 0, up to 1", c.SlowFailed)
	bad(c.History < c.Slow || c.History > 400*24*time.Hour, "history", "%v does not do: use slow to 9600h", c.History)
	bad(c.Outside != OutsideDaily && c.Outside != OutsideSilent, "outside", "%q is unknown: use %s or %s", c.Outside, OutsideDaily, OutsideSilent)
	bad(c.SNMPDevices < 2, "snmp_devices", "%d is below 2", c.SNMPDevices)
	bad(c.SNMPPackets < 1, "snmp_packets", "%d is below 1", c.SNMPPackets)
	bad(!panes(c.SNMPTime, time.Hour), "snmp_time", "%v does not do: use a multiple of %v, up to 1h", c.SNMPTime, detect.Pane)
	return errors.Join(all...)
}

// panes tells whether d is a whole number of panes, up to most.
func panes(d, most time.Duration) bool { return d >= detect.Pane && d <= most && d%detect.Pane == 0 }
