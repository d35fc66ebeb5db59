package main

import (
	"context"
	"log/slog"
	"os"

	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/carrier"
	"tapwatch/internal/benchmark/measure"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// bench is a benchmark on an open store.
type bench struct {
	options
	*storage.Store
	report *measure.Report
	config app.Config
	engine int // its process
}

// measureStorage runs the whole on an engine of its own.
func measureStorage(ctx context.Context, r *measure.Report, o options) error {
	cfg, err := carrier.Config(o.dir)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return app.WithDatabase(ctx, cfg.Storage, logger, func(db *app.Database) error {
		state, _ := embedded.Running(cfg.Storage.Embedded.DataDir)
		b := &bench{o, db.Store, r, cfg, state.PID}
		for _, part := range []func(context.Context) error{
			b.fill, b.measureSizes, b.compareColumns, b.stretch, b.ask,
		} {
			if err := part(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
