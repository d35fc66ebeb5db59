package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tapwatch/console"
	"tapwatch/internal/app"
	"tapwatch/storage"
)

type doctorCommand struct{ rowFormat }

// Help shows an example.
func (doctorCommand) Help() string {
	return `Says of each exporter what it sends, when it was last heard, what was lost and why, and what to do about it. It reads
what the collector stored, so it works beside a running tapwatch.

Example:

  tapwatch doctor`
}

// Run prints what is known of each exporter.
func (c *doctorCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithReader(ctx, cfg.Storage, env.logger, func(store *storage.Store) error {
		exporters, err := app.Exporters(ctx, cfg, store)
		if err != nil {
			return err
		}
		if c.Format == "table" {
			return printDiagnosis(env.out, exporters, cfg.Collector.Listen)
		}
		return writeDiagnosis(env.out, exporters, c.Format)
	})
}

// printDiagnosis writes a table of all, and below it what is wrong.
func printDiagnosis(w io.Writer, exporters []console.ExporterStatus, listen []string) error {
	if len(exporters) == 0 {
		_, err := fmt.Fprintf(w, "No exporter has sent anything in the last day, and the inventory lists none.\n"+
			"Point a router's flow export (NetFlow v5/v9, IPFIX or sFlow) at this machine, UDP %s, and see that no filter drops it.\n",
			strings.Join(listen, " or "))
		return err
	}
	present := slices.DeleteFunc(slices.Clone(exporters), func(e console.ExporterStatus) bool { return e.Status == console.StatusGone })
	if err := writeDiagnosis(w, present, "table"); err != nil {
		return err
	}
	well := 0
	for _, e := range present {
		if len(e.Problems) == 0 {
			well++
			continue
		}
		fmt.Fprintf(w, "\n%s is %s:\n", exporterName(e), e.Status)
		for _, p := range e.Problems {
			fmt.Fprintf(w, "  - %s\n", p)
		}
	}
	fmt.Fprintf(w, "\n%d of %d exporters are well.\n", well, len(present))
	if gone := len(exporters) - len(present); gone > 0 {
		fmt.Fprintf(w, "%d more were not heard for a day, and the inventory does not list them: they are left out.\n", gone)
	}
	return nil
}

func exporterName(e console.ExporterStatus) string {
	if e.Name == "" {
		return e.Address.String()
	}
	return e.Name + " (" + e.Address.String() + ")"
}

func writeDiagnosis(w io.Writer, exporters []console.ExporterStatus, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(w)
		for _, e := range exporters {
			if err := encoder.Encode(e); err != nil {
				return err
			}
		}
		return nil
	}
	columns := []string{"status", "exporter", "name", "sends", "records_per_s", "templates", "sampling", "last_heard", "dropped"}
	if format == "csv" {
		columns = append(columns, "problems")
	}
	rows, err := newRowWriter(w, format, columns)
	if err != nil {
		return err
	}
	for _, e := range exporters {
		row := []any{
			e.Status, e.Address, e.Name, strings.Join(e.Protocols, " "), fmt.Sprintf("%.1f", e.RecordsPerSecond),
			e.Templates, sampling(e), lastHeard(e), sum(e.Dropped),
		}
		if format == "csv" {
			row = append(row, strings.Join(e.Problems, " "))
		}
		if err := rows.Row(row); err != nil {
			return err
		}
	}
	return rows.Close()
}

func sampling(e console.ExporterStatus) string {
	if len(e.SamplingIntervals) == 0 {
		return "not said"
	}
	const most = 3 // routers have one or two; more say that something is wrong
	var all []string
	for i, n := range e.SamplingIntervals {
		if i == most {
			all = append(all, fmt.Sprintf("and %d more", len(e.SamplingIntervals)-most))
			break
		}
		all = append(all, fmt.Sprintf("1:%d", n))
	}
	return strings.Join(all, " ")
}

func lastHeard(e console.ExporterStatus) string {
	if e.LastReceivedAt.IsZero() {
		return "never"
	}
	return e.LastReceivedAt.UTC().Format(time.DateTime)
}

func sum(counts map[string]uint64) (total uint64) {
	for _, n := range counts {
		total += n
	}
	return total
}
