package staging

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.staging.
type Config struct {
	// History is how far back what is usual is read, WarmUp for how long a host must be
	// known.
	History time.Duration `yaml:"history"`
	WarmUp  time.Duration `yaml:"warm_up"`
	// Within is how long after it was collected something may be sent away.
	Within time.Duration `yaml:"within"`
	// Sources is from how many core or lawful-intercept systems a host must have got
	// something, Bytes how much in all above what is usual.
	Sources int    `yaml:"sources"`
	Bytes   uint64 `yaml:"bytes"`
	// Score is how many spreads above the usual that must be.
	Score float64 `yaml:"score"`
	// Share is how much of it must be sent away.
	Share float64 `yaml:"share"`
	// Targets are the roles of systems of which an unusual reader is reported at once,
	// as are those of lawful-intercept zones; ReadBytes is how much it must have got in a
	// day. 0: readers are not looked at.
	Targets   []string `yaml:"targets"`
	ReadBytes uint64   `yaml:"read_bytes"`
	// Collectors are the roles of hosts whose task it is to collect.
	Collectors []string `yaml:"collectors"`
}

const day = 24 * time.Hour

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		History: 28 * day, WarmUp: 7 * day, Within: 72 * time.Hour,
		Sources: 3, Bytes: 50_000_000, Score: 4, Share: 0.5,
		Targets:    []string{"hss", "hlr", "udm", "udr", "cdr", "aaa", "mdf2", "mdf3", "admf"},
		ReadBytes:  20_000_000,
		Collectors: []string{"etl", "mediation", "billing", "archive", "backup", "nms", "syslog", "probe", "collector", "log", "lemf"},
	}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.History < 7*day || c.History > 90*day || c.History%day != 0 {
		all = append(all, config.Invalid("history", "%v does not do: use whole days, 168h to 2160h", c.History))
	}
	if c.WarmUp < day || c.WarmUp > c.History {
		all = append(all, config.Invalid("warm_up", "%v does not do: use 24h to history", c.WarmUp))
	}
	if c.Within < day || c.Within > 7*day || c.Within%day != 0 {
		all = append(all, config.Invalid("within", "%v does not do: use whole days, 24h to 168h", c.Within))
	}
	if c.Sources < 2 {
		all = append(all, config.Invalid("sources", "%d is below 2", c.Sources))
	}
	if c.Bytes < 1_000_000 {
		all = append(all, config.Invalid("bytes", "%d is below 1000000", c.Bytes))
	}
	if c.Score < 3 || c.Score > 20 {
		all = append(all, config.Invalid("score", "%g does not do: use 3 to 20", c.Score))
	}
	if c.Share <= 0 || c.Share > 1 {
		all = append(all, config.Invalid("share", "%g does not do: use more than 0, at most 1", c.Share))
	}
	if c.ReadBytes > 0 && c.ReadBytes < 1_000_000 {
		all = append(all, config.Invalid("read_bytes", "%d is below 1000000; 0 for never", c.ReadBytes))
	}
	return errors.Join(all...)
}
