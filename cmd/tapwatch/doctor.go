package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tapwatch/console"
	"tapwatch/internal/app"
	"tapwatch/storage"
)

type doctorCommand struct {
	rowFormat
	Exporter string `arg:"" optional:"" help:"Address or name of one exporter; without it all are shown."`
	All      bool   `help:"Show every sender that the inventory does not list and of which nothing could be taken, not five of them."`
}

// Help shows an example.
func (doctorCommand) Help() string {
	return `Says of each exporter what it sends, when it was last heard, what was lost and why, and what to type on the router
or here to mend it. It reads what the collector stored, so it works beside a running tapwatch. docs/exporters.md explains
each fault. Senders that the inventory does not list and of which nothing could be taken come last, five of them (--all: every one).

Exit codes: 0 the diagnosis was printed, faults or not (--format json tells them apart); 1 nothing could be read; 2 no such
exporter, or a mistake in the configuration.

Examples:

  tapwatch doctor
  tapwatch doctor pe1.east
  tapwatch doctor --format json 10.30.0.1`
}

// Run prints what is known of each exporter, or of one.
func (c *doctorCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithReader(ctx, cfg.Storage, env.logger, func(reader *storage.Reader) error {
		exporters, err := app.Exporters(ctx, cfg, reader.Store)
		if err != nil {
			return err
		}
		if c.Exporter != "" {
			if exporters, err = chosen(exporters, c.Exporter); err != nil {
				return err
			}
		}
		switch {
		case c.Format != "table":
			return writeDiagnosis(env.out, exporters, c.Format)
		case c.Exporter != "":
			return printOne(env.out, exporters[0])
		default:
			return printDiagnosis(env.out, exporters, cfg.Collector.Listen, c.All)
		}
	})
}

// chosen gives the exporter with that address or name.
func chosen(exporters []console.ExporterStatus, which string) ([]console.ExporterStatus, error) {
	i := slices.IndexFunc(exporters, func(e console.ExporterStatus) bool {
		return e.Address.Unmap().String() == which || e.Name != "" && strings.EqualFold(e.Name, which)
	})
	if i < 0 {
		return nil, misuse{fmt.Errorf("no exporter %q: nothing came from it in the last day, and the inventory lists none of that address or name; `tapwatch doctor` shows those that are known", which)}
	}
	return exporters[i : i+1], nil
}
