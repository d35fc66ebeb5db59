package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"tapwatch/internal/app"
	"tapwatch/storage"
	"tapwatch/storage/sqltext"
)

type sqlCommand struct {
	rowFormat
	File  string `short:"f" help:"Ask the queries of this file, separated by semicolons, in their order." placeholder:"FILE"`
	Query string `arg:"" optional:"" help:"The query, or several separated by semicolons. Without one they are read from the standard input; where that is a terminal, a prompt begins."`
}

// Help shows examples.
func (sqlCommand) Help() string {
	return `The tables: flows, watched_flows (what touches a protected system), conversations and conversations_by_hour (each once,
however many routers saw it), asset_peers, zone_countries, zone_asns (since when), traffic_minute, alerts, exporter_health;
flows_text, watched_flows_text, conversations_text show addresses and names. docs/sql.md explains them, with examples;
DESCRIBE TABLE flows says what each column holds. The session is read-only, a query may take 60 s
(SETTINGS max_execution_time = 300 at its end: up to 300 s) and a part of the engine's memory. A query that ends in
FORMAT comes out as ClickHouse writes that format (CSVWithNames, JSONEachRow, Parquet, Vertical, …).

Without a query in a terminal a prompt begins: Tab completes, the arrow keys go through the history, help lists the rest.

Exit codes: 0 every query was answered; 1 a query failed, and none after it was asked; 2 nothing was asked for.

Examples:

  tapwatch sql "SELECT severity, title, last_seen FROM alerts ORDER BY last_seen DESC"
  tapwatch sql --format csv "SELECT src_addr, sum(bytes) FROM flows_text WHERE dst_zone_kind = 'lawful-intercept' GROUP BY src_addr"
  tapwatch sql -f queries.sql
  tapwatch sql "SELECT * FROM flows_text LIMIT 1000 FORMAT Parquet" > flows.parquet
  tapwatch sql`
}

// Run asks the queries, or holds the prompt.
func (c *sqlCommand) Run(ctx context.Context, env *environment) error {
	text, interactive, err := c.text(env)
	if err != nil {
		return err
	}
	statements := sqltext.Split(text)
	if !interactive {
		if err := checkStatements(statements); err != nil {
			return err
		}
	}
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithReader(ctx, cfg.Storage, env.logger, func(reader *storage.Reader) error {
		if interactive {
			return promptOn(ctx, env, reader)
		}
		return askAll(ctx, reader, statements, text, env.out, c.Format)
	})
}

// text is what the user asks, unless a person at a terminal is to be asked for it.
func (c *sqlCommand) text(env *environment) (text string, interactive bool, err error) {
	switch {
	case c.Query != "" && c.File != "":
		return "", false, misuse{errors.New("give a query or --file, not both")}
	case c.File != "":
		content, err := os.ReadFile(c.File)
		if err != nil && slices.Contains([]string{"table", "json", "csv"}, c.File) {
			err = fmt.Errorf("-f names a file with queries; for the format write: --format %s", c.File)
		}
		if err != nil {
			err = misuse{err}
		}
		return string(content), false, err
	case c.Query != "":
		return c.Query, false, nil
	case isTerminal(env.in) && isTerminal(env.out):
		return "", true, nil
	case isTerminal(env.in):
		return "", false, misuse{errors.New(`sql needs a query, as in: tapwatch sql "SELECT title FROM alerts"`)}
	}
	content, err := io.ReadAll(env.in)
	return string(content), false, err
}

// isTerminal tells whether a stream of the program is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// checkStatements refuses what cannot be asked before anything is.
func checkStatements(all []sqltext.Statement) error {
	if len(all) == 0 {
		return misuse{errors.New("the query is empty")}
	}
	for _, s := range all {
		if err := checkClauses(sqltext.ClausesOf(s.Text)); err != nil {
			return err
		}
	}
	return nil
}

// askAll asks one after another, and stops at the first that fails. Places in errors are
// those in the whole text.
func askAll(ctx context.Context, reader *storage.Reader, all []sqltext.Statement, text string, w io.Writer, format string) error {
	for i, s := range all {
		if i > 0 && format == "table" {
			fmt.Fprintln(w)
		}
		if _, err := ask(ctx, reader, s.Text, w, format); err != nil {
			return within(text, s, err)
		}
	}
	return nil
}

// within moves the place of an error from the statement to the text that holds it.
func within(text string, s sqltext.Statement, err error) error {
	var e *storage.QueryError
	if !errors.As(err, &e) {
		return err
	}
	before := sqltext.PlaceOf(text, s.Start)
	if e.Place.Line == 0 {
		if s.Start > 0 {
			return fmt.Errorf("the query at line %d: %w", before.Line, err)
		}
		return err
	}
	moved := *e
	if e.Place.Line == 1 {
		moved.Place.Column += before.Column - 1
	}
	moved.Place.Line += before.Line - 1
	moved.Place.Source = strings.Split(text, "\n")[moved.Place.Line-1]
	return &moved
}
