package app

import (
	"fmt"
	"strings"
	"time"
)

// Summary says, a line each, what the configuration amounts to and what of it is
// hardly meant: what `tapwatch check` prints.
func (a *App) Summary() []string {
	inv := a.inventory.Load()
	protected := 0
	for _, z := range inv.Zones {
		if z.Protected {
			protected++
		}
	}
	lines := []string{
		"configuration: good",
		"collector: listens on " + a.cfg.listens() + "; takes exporters: " + a.cfg.Collector.Exporters,
		fmt.Sprintf("inventory: %d zones (%d protected), %d allow rules, %d exporters", len(inv.Zones), protected, len(inv.Allow), len(inv.Exporters)),
		"storage: " + a.cfg.Storage.describe(),
		"console: http://" + a.cfg.Console.Listen + "/",
	}
	if a.cfg.Inventory == "" {
		lines = append(lines, "warning: no inventory: nothing is protected, so nothing will alert; copy inventory.example.yaml and set `inventory`")
	} else {
		for _, w := range inv.Warnings(time.Now()) {
			lines = append(lines, "warning: "+w)
		}
	}
	if a.cfg.Enrich.Geo.CountryDatabase == "" {
		lines = append(lines, "warning: no enrich.geo.country_database: alerts will not say where in the world a peer is; `make setup` makes one")
	}
	if err := a.checkState(); err != nil {
		lines = append(lines, "warning: collector.state_file, as the user who runs this check: "+err.Error())
	}
	return lines
}

func (c *StorageConfig) describe() string {
	if len(c.ClickHouse.Addresses) > 0 {
		return "ClickHouse at " + strings.Join(c.ClickHouse.Addresses, ", ")
	}
	return "embedded ClickHouse in " + c.Embedded.DataDir
}
