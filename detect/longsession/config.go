package longsession

import (
	"errors"
	"time"

	"tapwatch/detect/pairs"
	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.longsession.
type Config struct {
	// Medium and High are for how much of the last day sessions must have been open to be
	// a medium or a high alert.
	Medium time.Duration `yaml:"medium"`
	High   time.Duration `yaml:"high"`
	// Piece is the shortest session that counts: many short ones are no long one.
	Piece time.Duration `yaml:"piece"`
	// Gap is the longest silence within a session.
	Gap time.Duration `yaml:"gap"`
	// Prevalence is the share of all protected systems beyond which a peer is a service
	// that many use. Three systems are never many.
	Prevalence float64 `yaml:"prevalence"`
	// WarmUp is for how long a zone must have been watched before a pair can be called
	// new, and for how long it stays so. What is older is taken for known.
	WarmUp time.Duration `yaml:"warm_up"`
	// Ignore lists services that keep sessions open by nature.
	Ignore pairs.Services `yaml:"ignore"`
	// Inside lists the services of which sessions with inside peers count too: people use
	// them, and people go home.
	Inside pairs.Services `yaml:"inside"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		Medium: 4 * time.Hour, High: 8 * time.Hour, Piece: 30 * time.Minute, Gap: 10 * time.Minute, Prevalence: 0.02, WarmUp: 14 * day,
		// BGP, LDP, BMP, gNMI, RPKI to router, syslog over TLS, signalling, time, routing.
		Ignore: pairs.Services{"sctp", "tcp/179", "tcp/646", "tcp/1790", "tcp/5000", "tcp/9339", "tcp/57400", "tcp/323", "tcp/6514", "udp/123", "udp/514", "udp/3784", "udp/3785", "udp/4784"},
		Inside: pairs.Services{"tcp/22", "tcp/23", "tcp/830", "tcp/3389", "tcp/5900", "tcp/5985", "tcp/57722"},
	}
}

const day = 24 * time.Hour

// Validate returns a config.KeyError for each value that cannot be.
func (c *Config) Validate() error {
	var all []error
	if c.Medium < time.Hour || c.Medium > day {
		all = append(all, config.Invalid("medium", "%v does not do: use 1h to 24h", c.Medium))
	}
	if c.High < c.Medium || c.High > day {
		all = append(all, config.Invalid("high", "%v does not do: use medium to 24h", c.High))
	}
	if c.Piece < time.Minute || c.Piece > c.Medium {
		all = append(all, config.Invalid("piece", "%v does not do: use 1m to medium", c.Piece))
	}
	if c.Gap < time.Minute || c.Gap > time.Hour {
		all = append(all, config.Invalid("gap", "%v does not do: use 1m to 1h", c.Gap))
	}
	if c.Prevalence < 0 || c.Prevalence > 1 {
		all = append(all, config.Invalid("prevalence", "%g is no share: use 0 to 1", c.Prevalence))
	}
	if c.WarmUp < day || c.WarmUp > 365*day {
		all = append(all, config.Invalid("warm_up", "%v does not do: use 24h to 8760h", c.WarmUp))
	}
	for _, list := range []struct {
		key      string
		services pairs.Services
	}{{"ignore", c.Ignore}, {"inside", c.Inside}} {
		if i := list.services.Wrong(); i >= 0 {
			all = append(all, config.Invalid(config.Index(list.key, i), "%q is no service: write tcp/22, or sctp", list.services[i]))
		}
	}
	return errors.Join(all...)
}
