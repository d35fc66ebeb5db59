package main

import (
	"fmt"
	"io"
	"log/slog"

	"tapwatch/internal/app"
)

type checkCommand struct{}

// Help shows an example.
func (checkCommand) Help() string {
	return `Reads the configuration, the inventory, the intelligence lists, the geography databases and the certificates, looks whether
the collector's state can be kept, and starts nothing. A mistake is named with file, line and column, and the exit code is 2.

Example:

  tapwatch --config tapwatch.yaml check`
}

// Run validates and prints what was found.
func (checkCommand) Run(env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	a, err := app.New(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return misuse{err}
	}
	if err := a.Check(); err != nil {
		return misuse{err}
	}
	for _, line := range a.Summary() {
		if _, err := fmt.Fprintln(env.out, line); err != nil {
			return err
		}
	}
	return nil
}
