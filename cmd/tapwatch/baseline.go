package main

import (
	"context"
	"fmt"

	"tapwatch/internal/app"
)

// baselineCommand is about the history that detectors learn from.
type baselineCommand struct {
	Status  baselineStatus  `cmd:"" help:"Say how far each learning detector is from ready, and what it says nothing about."`
	Rebuild baselineRebuild `cmd:"" help:"Make the history that detectors learn from of the stored flows."`
}

// Help shows an example.
func (baselineCommand) Help() string {
	return `Learning detectors compare with what was usual. They compute that from the history of sessions when they need it; nothing else
is kept.

Example:

  tapwatch baseline status`
}

type baselineRebuild struct {
	period
	All bool `help:"Also the hours whose history stands for all stored flows."`
}

// Help shows an example.
func (baselineRebuild) Help() string {
	return `Detectors learn from sessions and pair_hours, tables that tapwatch makes as flows arrive. This makes them anew for the hours
of which flows were stored in another way: by replay, by an older tapwatch, while detection stood still. Their baselines are
computed from these tables when they are needed, so nothing else is to be rebuilt. Works beside a running tapwatch.

Example:

  tapwatch baseline rebuild --from 60d`
}

// Run rebuilds and says how much.
func (c *baselineRebuild) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithDatabase(ctx, cfg.Storage, env.logger, func(db *app.Database) error {
		from, to, err := c.bounds(ctx, db)
		if err != nil {
			return err
		}
		bar := newTimeProgress(env.err, "rebuild", from, to)
		defer bar.close()
		hours, err := app.Rebuild(ctx, db, from, to, c.All, bar.reached)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.out, "history of %d hours made\n", hours)
		return err
	})
}

type baselineStatus struct {
	rowFormat
}

// Help shows an example.
func (baselineStatus) Help() string {
	return `Some detectors learn what is usual before they speak. This says how much history each has of what it needs, and what it
will never say anything about as things are: sampled exports hide the times of sessions.

Example:

  tapwatch baseline status`
}

// Run prints a row for each thing that a detector needs.
func (c *baselineStatus) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithDatabase(ctx, cfg.Storage, env.logger, func(db *app.Database) error {
		_, to, err := app.Period(ctx, db)
		if err != nil {
			return err
		}
		all, err := app.Ready(ctx, db, cfg.Rules(), to)
		if err != nil {
			return err
		}
		rows, err := newRowWriter(env.out, c.Format, []string{"detector", "what", "have", "need", "unit", "text"})
		if err != nil {
			return err
		}
		for _, r := range all {
			if err := rows.Row([]any{r.Detector, r.What, fmt.Sprintf("%.4g", r.Have), fmt.Sprintf("%.4g", r.Need), r.Unit, r.Text}); err != nil {
				return err
			}
		}
		return rows.Close()
	})
}
