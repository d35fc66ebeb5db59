package app

import "errors"

// Reload reads the inventory, then the intelligence lists and the geography databases
// again while everything goes on. A file with a mistake leaves the one before in
// force; the error names it. Once Run is to stop, what is left is not read.
func (a *App) Reload() error {
	if a.stopping.Load() {
		return nil
	}
	logger := a.logger.With("component", "app")
	logger.Info("reloading")
	var all []error
	if a.cfg.Inventory != "" { // first: it changes most, and takes least
		err := a.inventory.Reload(a.cfg.Inventory)
		if all = append(all, err); err == nil {
			logger.Info("inventory reloaded", "inventory", a.cfg.Inventory)
		}
	}
	for _, reload := range a.enrich.reloads {
		if !a.stopping.Load() {
			all = append(all, reload())
		}
	}
	err := errors.Join(all...)
	if err == nil && !a.stopping.Load() {
		logger.Info("reloaded", "inventory", a.cfg.Inventory)
	}
	return err
}
