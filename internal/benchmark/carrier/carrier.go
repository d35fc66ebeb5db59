// Package carrier is the traffic of the storage benchmarks: the carrier of package
// simulate, and a tapwatch that knows it as `tapwatch demo` does.
package carrier

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tapwatch/enrich/intel"
	"tapwatch/internal/app"
	"tapwatch/simulate"
)

// Until is the end of the simulated traffic: a fixed time, so that every run has the
// same flows, and the end of the busiest hour of a weekday, so that the last hour is
// the fullest.
var Until = time.Date(2026, 9, 16, 21, 0, 0, 0, time.UTC)

// Config is tapwatch's default configuration with all its enrichments and detectors: the
// carrier's inventory and intelligence list, which it writes into dir, and the geography
// databases of `make setup`. All that tapwatch writes goes into dir too.
func Config(dir string) (app.Config, error) {
	c := app.DefaultConfig()
	c.Inventory = filepath.Join(dir, "inventory.yaml")
	list := filepath.Join(dir, "intel.txt")
	err := errors.Join(
		os.MkdirAll(dir, 0o700),
		os.WriteFile(c.Inventory, simulate.Inventory(), 0o600),
		os.WriteFile(list, simulate.Intelligence(), 0o600),
	)
	if err != nil {
		return c, fmt.Errorf("prepare the configuration: %w", err)
	}
	c.Enrich.Intel.Lists = []intel.List{{Name: "demo", File: list}}
	c.Enrich.Geo.CountryDatabase = "build/geo/country.mmdb"
	c.Enrich.Geo.ASNDatabase = "build/geo/asn.mmdb"
	c.Collector.StateFile = filepath.Join(dir, "collector", "state.json")
	c.Storage.Embedded.DataDir = filepath.Join(dir, "clickhouse")
	c.Storage.Spool.Dir = filepath.Join(dir, "spool")
	return c, nil
}

// Network is the carrier from start on, with about so many flow records a second in the
// busiest hour.
func Network(start time.Time, rate float64) (*simulate.Network, error) {
	c := simulate.DefaultConfig()
	c.Start, c.Rate = start, rate
	return simulate.New(c)
}
