package campaign

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tapwatch/internal/config"
)

// Config says which campaign to generate.
type Config struct {
	// Seed makes one campaign differ from another.
	Seed uint64
	// Start is the first moment of stream time.
	Start time.Time
	// History is how long there are no intrusions; Attack how long there are, after
	// it.
	History, Attack time.Duration
	// Pairs is about how many pairs of a protected asset and a peer, with the service
	// between them, are active in the whole.
	Pairs int
	// Instances is how often each technique and each trap is planted.
	Instances int
	// Techniques are the keys of the techniques to plant; empty: all of them. Traps
	// are planted in any case.
	Techniques []string
	// Quiet leaves the intrusions out: traps and background only.
	Quiet bool
}

// DefaultConfig is four weeks of 10,000 pairs, two of them history.
func DefaultConfig() Config {
	return Config{
		Seed: 1, Start: time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC), // a Monday
		History: 14 * 24 * time.Hour, Attack: 14 * 24 * time.Hour, Pairs: 10_000, Instances: 3,
	}
}

// SmallConfig is four days of a small carrier, with the techniques that show within
// two days and without weeks of history: small enough for `make test`.
func SmallConfig() Config {
	c := DefaultConfig()
	c.History, c.Attack, c.Pairs, c.Instances = 2*24*time.Hour, 2*24*time.Hour, 150, 1
	for _, t := range catalogue() {
		if t.short {
			c.Techniques = append(c.Techniques, t.key)
		}
	}
	return c
}

// The limits of a Config: the least that all roles of the carrier fit in, and what
// an address plan of private ranges holds.
const (
	minPairs, maxPairs = 150, 40_000
	minSpan            = 24 * time.Hour
	maxSpan            = 366 * 24 * time.Hour
)

// Validate tells what is wrong, by key.
func (c *Config) Validate() error {
	var all []error
	if c.Start.IsZero() || c.Start.Year() < 1971 {
		all = append(all, config.Invalid("start", "must be a time after 1970"))
	}
	if c.Start != c.Start.Truncate(time.Hour) {
		all = append(all, config.Invalid("start", "must be a full hour"))
	}
	if c.History < minSpan || c.History > maxSpan {
		all = append(all, config.Invalid("history", "must be %s to %s", minSpan, maxSpan))
	}
	if c.Attack < minSpan || c.Attack > maxSpan {
		all = append(all, config.Invalid("attack", "must be %s to %s", minSpan, maxSpan))
	}
	if c.Pairs < minPairs || c.Pairs > maxPairs {
		all = append(all, config.Invalid("pairs", "must be %d to %d", minPairs, maxPairs))
	}
	if c.Instances < 1 || c.Instances > 20 {
		all = append(all, config.Invalid("instances", "must be 1 to 20"))
	}
	for i, key := range c.Techniques {
		known := func(t technique) bool { return t.key == key }
		if !slices.ContainsFunc(catalogue(), known) {
			all = append(all, config.Invalid(config.Index("techniques", i), "%q is no technique: use some of %s", key, strings.Join(Techniques(), ", ")))
		}
	}
	return errors.Join(all...)
}

// wants tells whether a technique is to be planted.
func (c *Config) wants(key string) bool {
	return !c.Quiet && (len(c.Techniques) == 0 || slices.Contains(c.Techniques, key))
}

// start, attackFrom and end are moments of stream time, in Unix milliseconds.
func (c *Config) start() int64      { return c.Start.UnixMilli() }
func (c *Config) attackFrom() int64 { return c.Start.Add(c.History).UnixMilli() }
func (c *Config) end() int64        { return c.Start.Add(c.History + c.Attack).UnixMilli() }
