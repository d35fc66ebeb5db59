package main

import (
	"context"
	"errors"
	"fmt"

	"tapwatch/internal/app"
)

type migrateCommand struct{}

// Help shows an example.
func (migrateCommand) Help() string {
	return `Creates the database and its tables where they are missing, brings them up to date, and applies the retention
times of the configuration. ` + "`tapwatch run`" + ` does the same at its start.

Example:

  tapwatch --config tapwatch.yaml migrate`
}

// Run migrates and says that it did.
func (migrateCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithDatabase(ctx, cfg.Storage, env.logger, func(db *app.Database) error {
		if err := errors.Join(db.Missing()...); err != nil {
			return fmt.Errorf("not every node of the cluster could be brought up to date: %w", err)
		}
		_, err := fmt.Fprintln(env.err, "the tables are up to date")
		return err
	})
}
