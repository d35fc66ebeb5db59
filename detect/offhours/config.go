package offhours

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"tapwatch/internal/config"
	"tapwatch/inventory"
)

// Config is the detector's part of the configuration, under detect.offhours.
type Config struct {
	// TimeZone is that in which people work: a name of the IANA time zone database.
	TimeZone string `yaml:"time_zone"`
	// Ports are TCP ports of sessions that people open.
	Ports []uint16 `yaml:"ports"`
	// History is how far back a source's habits are read.
	History time.Duration `yaml:"history"`
	// Sessions, on Days different days, is what a source must have opened to have habits.
	Sessions uint64 `yaml:"sessions"`
	Days     uint64 `yaml:"days"`
	// Rare is the share of a source's sessions below which an hour is unusual for it.
	Rare float64 `yaml:"rare"`
	// HabitDays is on how many days of the history an hour must have been used to be a
	// habit, whatever the share.
	HabitDays uint64 `yaml:"habit_days"`
	// Holidays are days, as 2026-12-25, that are like weekends.
	Holidays []string `yaml:"holidays"`
	// OnCall is who may work when.
	OnCall []OnCall `yaml:"on_call"`
}

// OnCall says that sources may work at a time, whatever their habits.
type OnCall struct {
	// Sources are names of assets or zones of the inventory, addresses or prefixes.
	Sources []string `yaml:"sources"`
	// Schedule is a schedule as those of the inventory: "Sat-Sun Europe/Berlin".
	Schedule string `yaml:"schedule"`
}

// DefaultConfig returns the configuration of a detector that nobody configured.
func DefaultConfig() Config {
	return Config{
		TimeZone: "UTC", Ports: []uint16{22, 23, 80, 443, 830, 2022, 3389, 5900, 5985, 5986, 8080, 8443, 57722},
		History: 56 * 24 * time.Hour, Sessions: 50, Days: 10, Rare: 0.01, HabitDays: 3,
		Holidays: []string{}, OnCall: []OnCall{},
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
	_, err := time.LoadLocation(c.TimeZone)
	bad(err != nil || c.TimeZone == "" || c.TimeZone == "Local", "time_zone", "%q is no time zone: use a name of the IANA database, such as Europe/Berlin", c.TimeZone)
	bad(len(c.Ports) == 0, "ports", "none are given: use at least one")
	bad(c.History < span || c.History > 400*24*time.Hour, "history", "%v does not do: use 336h to 9600h", c.History)
	bad(c.Sessions < 20, "sessions", "%d is below 20", c.Sessions)
	bad(c.Days < 2, "days", "%d is below 2", c.Days)
	bad(c.Rare <= 0 || c.Rare > 0.2, "rare", "%v does not do: use what is above 0, up to 0.2", c.Rare)
	bad(c.HabitDays < 1, "habit_days", "%d is below 1", c.HabitDays)
	for i, day := range c.Holidays {
		_, err := time.Parse(time.DateOnly, day)
		bad(err != nil, fmt.Sprintf("holidays[%d]", i), "%q is no day: write it as 2026-12-25", day)
	}
	for i, o := range c.OnCall {
		_, err := inventory.ParseSchedule(o.Schedule)
		bad(err != nil, fmt.Sprintf("on_call[%d].schedule", i), "%v", err)
		bad(len(o.Sources) == 0, fmt.Sprintf("on_call[%d].sources", i), "none are given: name an asset, a zone, an address or a prefix")
	}
	return errors.Join(all...)
}

// calendar is what the configuration says about days and hours, ready to be asked.
type calendar struct {
	location *time.Location
	holidays map[string]bool
	onCall   []onCall
}

type onCall struct {
	names    map[string]bool
	prefixes []netip.Prefix
	schedule inventory.Schedule
}

// calendar reads the parts of a valid Config.
func (c *Config) calendar() *calendar {
	k := &calendar{location: time.UTC, holidays: map[string]bool{}}
	if l, err := time.LoadLocation(c.TimeZone); err == nil {
		k.location = l
	}
	for _, day := range c.Holidays {
		k.holidays[day] = true
	}
	for _, o := range c.OnCall {
		s, err := inventory.ParseSchedule(o.Schedule)
		if err != nil {
			continue // Validate has said so
		}
		one := onCall{names: map[string]bool{}, schedule: s}
		for _, text := range o.Sources {
			if p, err := netip.ParsePrefix(text); err == nil {
				one.prefixes = append(one.prefixes, p)
			} else if a, err := netip.ParseAddr(text); err == nil {
				one.prefixes = append(one.prefixes, netip.PrefixFrom(a, a.BitLen()))
			} else {
				one.names[text] = true
			}
		}
		k.onCall = append(k.onCall, one)
	}
	return k
}

// free tells whether the day is one on which people do not work: of a weekend, or a
// holiday.
func (k *calendar) free(at time.Time) bool {
	local := at.In(k.location)
	d := local.Weekday()
	return d == time.Saturday || d == time.Sunday || k.holidays[local.Format(time.DateOnly)]
}

// expected tells whether the source is on call at that time.
func (k *calendar) expected(addr netip.Addr, asset, zone string, at time.Time) bool {
	for _, o := range k.onCall {
		named := asset != "" && o.names[asset] || zone != "" && o.names[zone]
		for _, p := range o.prefixes {
			named = named || p.Contains(addr)
		}
		if named && o.schedule.Contains(at) {
			return true
		}
	}
	return false
}
