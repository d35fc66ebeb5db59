package firstseen

import (
	"errors"
	"time"

	"tapwatch/internal/config"
)

// Config is the detector's part of the configuration, under detect.firstseen.
type Config struct {
	// History is how long a peer must have been away to be new.
	History time.Duration `yaml:"history"`
	// WarmUp is how much history a zone must have before anything in it is new.
	WarmUp time.Duration `yaml:"warm_up"`
	// Score is what a first contact must reach, of about 0 to 1, to be reported.
	Score float64 `yaml:"score"`
	// Management are TCP ports through which systems are administered.
	Management []uint16 `yaml:"management"`
	// Networks are autonomous systems that systems may call as they like: content
	// networks and clouds.
	Networks []uint32 `yaml:"networks"`
	// Rare is the share of a zone's systems that have to do with something rare.
	Rare float64 `yaml:"rare"`
	// MaxPerEnd is how many findings one end may have in a window; the rest folds.
	MaxPerEnd int `yaml:"max_per_end"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		History: 30 * 24 * time.Hour, WarmUp: 14 * 24 * time.Hour, Score: 0.75,
		Management: []uint16{22, 23, 80, 443, 830, 2022, 3389, 4786, 5900, 5985, 5986, 6513, 8080, 8443, 9339, 57400, 57722},
		Networks:   []uint32{}, Rare: 0.02, MaxPerEnd: 3,
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
	bad(c.WarmUp < 7*24*time.Hour || c.WarmUp > c.History, "warm_up", "%v does not do: use 168h to history", c.WarmUp)
	bad(c.History > 400*24*time.Hour, "history", "%v does not do: use up to 9600h", c.History)
	bad(c.Score <= 0 || c.Score > 1, "score", "%v does not do: use what is above 0, up to 1", c.Score)
	bad(c.Rare <= 0 || c.Rare >= 0.5, "rare", "%v does not do: use what is above 0 and below 0.5", c.Rare)
	bad(c.MaxPerEnd < 1, "max_per_end", "%d is below 1", c.MaxPerEnd)
	return errors.Join(all...)
}
