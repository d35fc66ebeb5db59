package app

import "errors"

// Reload reads the inventory, the intelligence lists and the geography databases
// again while everything goes on. A file with a mistake leaves the one before in
// force; the error names it.
func (a *App) Reload() error {
	var all []error
	if a.cfg.Inventory != "" {
		all = append(all, a.inventory.Reload(a.cfg.Inventory))
	}
	for _, reload := range a.enrich.reloads {
		all = append(all, reload())
	}
	err := errors.Join(all...)
	if err == nil {
		a.logger.Info("reloaded", "component", "app", "inventory", a.cfg.Inventory)
	}
	return err
}
