package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"tapwatch/alert"
	"tapwatch/internal/app"
)

type backtestCommand struct {
	period
	Detectors []string `help:"Only these detectors, separated by commas." placeholder:"NAME"`
	Rules     string   `help:"File with the keys detect: and inventory: of a configuration, to be tried instead of those in force. What it leaves out is as in force." type:"existingfile" placeholder:"FILE"`
	Diff      bool     `help:"Show only which alerts the rules of --rules add, remove and change."`
	rowFormat
}

// period is a span of stored time.
type period struct {
	From string `help:"Beginning: 2026-11-22, 2026-11-22T15:04 (UTC), or how long before the end: 36h, 7d." default:"7d"`
	To   string `help:"End, exclusive; by default that of the stored flows." placeholder:"MOMENT"`
}

// Help shows an example.
func (backtestCommand) Help() string {
	return `The detectors look at the stored flows of the time again, with the code that runs live, and print the alerts that they
raise. No alert is recorded; history that is missing is made. With --rules you see what other thresholds or another inventory would have raised before you
put them in force. Works beside a running tapwatch.

Example:

  tapwatch backtest --from 30d
  tapwatch backtest --from 2026-11-01 --to 2026-11-08 --rules quieter.yaml --diff`
}

// Run backtests and prints the alerts.
func (c *backtestCommand) Run(ctx context.Context, env *environment) error {
	if c.Diff && c.Rules == "" {
		return misuse{errors.New("--diff compares the rules in force with others: name these with --rules")}
	}
	cfg, err := env.load()
	if err != nil {
		return err
	}
	force := cfg.Rules()
	force.Only = c.Detectors
	tried, err := triedRules(force, c.Rules)
	if err != nil {
		return misuse{err}
	}
	return app.WithDatabase(ctx, cfg.Storage, env.logger, func(db *app.Database) error {
		from, to, err := c.bounds(ctx, db)
		if err != nil {
			return err
		}
		after, err := c.alerts(ctx, env, db, tried, from, to)
		if err != nil {
			return err
		}
		if !c.Diff {
			return printAlerts(env, c.Format, after, from, to)
		}
		before, err := c.alerts(ctx, env, db, force, from, to)
		if err != nil {
			return err
		}
		return printChanges(env, c.Format, app.Compare(before, after))
	})
}

// triedRules are those of the file, if there is one, over those in force.
func triedRules(force app.Rules, file string) (app.Rules, error) {
	if file == "" {
		return force, force.Validate()
	}
	rules, err := app.LoadRules(force, file)
	if err != nil {
		return rules, err
	}
	return rules, rules.Validate()
}

func (c *backtestCommand) alerts(ctx context.Context, env *environment, db *app.Database, rules app.Rules, from, to time.Time) ([]alert.Alert, error) {
	bar := newTimeProgress(env.err, "backtest", from, to)
	defer bar.close()
	return app.Backtest(ctx, db, rules, from, to, bar.reached)
}

// bounds are the beginning and the end of the period.
func (p *period) bounds(ctx context.Context, db *app.Database) (from, to time.Time, err error) {
	first, last, err := app.Period(ctx, db)
	if err != nil {
		return from, to, err
	}
	if first.IsZero() {
		return from, to, errors.New("no flows of protected systems are stored: is there an inventory, and do routers send?")
	}
	to = last.Add(time.Minute).Truncate(time.Minute)
	if p.To != "" {
		if to, err = app.ParseMoment(p.To, time.Now()); err != nil {
			return from, to, misuse{fmt.Errorf("--to: %w", err)}
		}
	}
	if from, err = app.ParseMoment(p.From, to); err != nil {
		return from, to, misuse{fmt.Errorf("--from: %w", err)}
	}
	if from.Before(first) {
		from = first.Truncate(time.Hour)
	}
	if !from.Before(to) {
		return from, to, misuse{fmt.Errorf("the period from %s to %s is empty", from.Format(time.RFC3339), to.Format(time.RFC3339))}
	}
	return from.Truncate(time.Minute), to, nil
}

// printAlerts writes alerts in one of the formats.
func printAlerts(env *environment, format string, alerts []alert.Alert, from, to time.Time) error {
	if format == "json" {
		return writeJSON(env.out, alerts)
	}
	rows, err := newRowWriter(env.out, format, []string{"first_seen", "severity", "detector", "rule", "windows", "title"})
	if err != nil {
		return err
	}
	for i := range alerts {
		if err := rows.Row(alertCells(&alerts[i])); err != nil {
			return err
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	days := to.Sub(from).Hours() / 24
	fmt.Fprintf(env.err, "%d alerts in %.1f days (%.1f a day)\n", len(alerts), days, float64(len(alerts))/days)
	return nil
}

func alertCells(a *alert.Alert) []any {
	return []any{a.FirstSeen.UTC().Format(time.DateTime), a.Severity.String(), a.Detector, a.Rule, a.Findings, a.Title}
}

// writeJSON writes alerts, one a line.
func writeJSON[T any](w io.Writer, all []T) error {
	e := json.NewEncoder(w)
	for i := range all {
		if err := e.Encode(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// printChanges writes what other rules make of the alerts.
func printChanges(env *environment, format string, c app.Changes) error {
	if format == "json" {
		return json.NewEncoder(env.out).Encode(c)
	}
	rows, err := newRowWriter(env.out, format, []string{"change", "first_seen", "severity", "detector", "rule", "windows", "title"})
	if err != nil {
		return err
	}
	write := func(change string, a *alert.Alert) error { return rows.Row(append([]any{change}, alertCells(a)...)) }
	for i := range c.Added {
		if err := write("added", &c.Added[i]); err != nil {
			return err
		}
	}
	for i := range c.Removed {
		if err := write("removed", &c.Removed[i]); err != nil {
			return err
		}
	}
	for i := range c.Changed {
		if err := write("was "+c.Changed[i].Was.String(), &c.Changed[i].Alert); err != nil {
			return err
		}
	}
	if err := rows.Close(); err != nil {
		return err
	}
	fmt.Fprintf(env.err, "%d added, %d removed, %d of another severity, %d the same\n", len(c.Added), len(c.Removed), len(c.Changed), c.Same)
	return nil
}
