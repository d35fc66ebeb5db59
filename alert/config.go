package alert

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the part `alert` of the configuration.
type Config struct {
	// IncidentGap is how long nothing may be seen of an asset or a peer before what
	// comes next is another incident.
	IncidentGap time.Duration `yaml:"incident_gap"`
	// BudgetPerDay is how many new alerts a day the people who read them can take;
	// more are reported, not hidden. 0: no budget.
	BudgetPerDay int `yaml:"budget_per_day"`
}

// DefaultConfig is for one shift of a NOC that has other work too.
func DefaultConfig() Config {
	return Config{IncidentGap: 24 * time.Hour, BudgetPerDay: 20}
}

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.IncidentGap < time.Hour || c.IncidentGap > 30*24*time.Hour {
		all = append(all, config.Invalid("incident_gap", "%v does not do: use 1h to 720h", c.IncidentGap))
	}
	if c.BudgetPerDay < 0 {
		all = append(all, config.Invalid("budget_per_day", "%d is below 0: use 0 for no budget", c.BudgetPerDay))
	}
	return errors.Join(all...)
}
