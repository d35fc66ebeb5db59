package detect

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the engine's part of the configuration, under detect.
type Config struct {
	// Window is how much stream time an instant detector looks at in one go: whole
	// panes that divide a day. A shorter one alerts sooner and costs more.
	Window time.Duration `yaml:"window"`
	// Lookback is how far before now a detector starts that has never run.
	Lookback time.Duration `yaml:"lookback"`
	// Poll is how often the engine looks for complete windows.
	Poll time.Duration `yaml:"poll"`
	// Timeout is how long one window may take one detector before it is tried again.
	Timeout time.Duration `yaml:"timeout"`
	// Parallel is how many detectors may query at the same time.
	Parallel int `yaml:"parallel"`
}

// DefaultConfig returns the configuration of an engine that nobody configured.
func DefaultConfig() Config {
	return Config{
		Window:   Pane,
		Lookback: time.Hour,
		Poll:     250 * time.Millisecond,
		Timeout:  time.Minute,
		Parallel: 2,
	}
}

// day is what a window must divide, so that windows stay aligned over midnight.
const day = 24 * time.Hour

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Window < Pane || c.Window > time.Hour || day%c.Window != 0 || c.Window%Pane != 0 {
		all = append(all, config.Invalid("window", "%v does not do: use %v to 1h, and a multiple of %v that divides a day", c.Window, Pane, Pane))
	}
	if c.Lookback < 0 || c.Lookback > 30*day {
		all = append(all, config.Invalid("lookback", "%v does not do: use 0s to 720h", c.Lookback))
	}
	if c.Poll < 10*time.Millisecond || c.Poll > time.Hour {
		all = append(all, config.Invalid("poll", "%v does not do: use 10ms to 1h", c.Poll))
	}
	if c.Timeout < time.Second {
		all = append(all, config.Invalid("timeout", "%v is below 1s", c.Timeout))
	}
	if c.Parallel < 1 {
		all = append(all, config.Invalid("parallel", "%d is below 1", c.Parallel))
	}
	return errors.Join(all...)
}
