package simulate

import (
	"errors"
	"math"
	"time"

	"tapwatch/internal/config"
	"tapwatch/simulate/scenario"
)

// Config says which network to simulate.
type Config struct {
	// Seed makes one simulation differ from another.
	Seed uint64
	// Start is the beginning of stream time, from which the steps of Plan count.
	Start time.Time
	// Rate is how many flow records a second all routers export together in the
	// busiest hour of the week; at night it is less than half. About ten of them are
	// those of machines, whatever the hour.
	Rate float64
	// ActiveTimeout is after how long routers export what they have of a flow that
	// goes on; IdleTimeout how long they wait for more of a flow.
	ActiveTimeout, IdleTimeout time.Duration
	// Plan is the intrusions.
	Plan scenario.Plan
}

// minRate is the least Config.Rate, in records a second. What the network exports
// with no subscriber active is less.
const minRate = 30

// DefaultConfig is a network of 900 records a second without intrusions. Start is
// for the caller to set.
func DefaultConfig() Config {
	return Config{Seed: 1, Rate: 900, ActiveTimeout: time.Minute, IdleTimeout: 15 * time.Second}
}

// Validate tells what is wrong, by key.
func (c *Config) Validate() error {
	var all []error
	if c.Start.IsZero() || c.Start.Year() < 1971 {
		all = append(all, config.Invalid("start", "must be a time after 1970"))
	}
	if !(c.Rate >= minRate) || math.IsInf(c.Rate, 0) {
		all = append(all, config.Invalid("rate", "must be at least %d flows a second", minRate))
	}
	if c.ActiveTimeout < time.Second || c.ActiveTimeout > maxConversation {
		all = append(all, config.Invalid("active_timeout", "must be 1s to %s", maxConversation))
	}
	if c.IdleTimeout < 0 || c.IdleTimeout > time.Minute {
		all = append(all, config.Invalid("idle_timeout", "must be 0s to 1m"))
	}
	if err := c.Plan.Validate(); err != nil {
		all = append(all, config.Invalid("plan", "%s", err))
	}
	return errors.Join(all...)
}
