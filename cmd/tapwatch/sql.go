package main

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"

	"golang.org/x/term"

	"tapwatch/internal/app"
	"tapwatch/storage"
)

type sqlCommand struct {
	rowFormat
	Query string `arg:"" optional:"" help:"The query; without one it is read from the standard input."`
}

// Help shows examples.
func (sqlCommand) Help() string {
	return `The tables: flows (and flows_text with readable addresses), watched_flows, alerts, findings, exporter_health,
exporter_activity. DESCRIBE TABLE flows says what each column holds. The session is read-only.

Examples:

  tapwatch sql "SELECT severity, title, last_seen FROM alerts ORDER BY last_seen DESC"
  tapwatch sql --format csv "SELECT src_addr, sum(bytes) FROM flows_text WHERE dst_zone_kind = 'lawful-intercept' GROUP BY src_addr"`
}

// Run asks the query and writes its rows to the standard output.
func (c *sqlCommand) Run(ctx context.Context, env *environment) error {
	query, err := c.query(env.in)
	if err != nil {
		return err
	}
	cfg, err := env.load()
	if err != nil {
		return err
	}
	return app.WithReader(ctx, cfg.Storage, env.logger, func(store *storage.Store) error {
		return writeQuery(ctx, store, query, env.out, c.Format)
	})
}

func (c *sqlCommand) query(in io.Reader) (string, error) {
	query := c.Query
	if query == "" {
		if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return "", misuse{errors.New(`sql needs a query, as in: tapwatch sql "SELECT title FROM alerts"`)}
		}
		text, err := io.ReadAll(in)
		if err != nil {
			return "", err
		}
		query = string(text)
	}
	query = strings.TrimRight(strings.TrimSpace(query), ";")
	if query == "" {
		return "", misuse{errors.New("the query is empty")}
	}
	return query, nil
}

// writeQuery streams the rows of a query to w.
func writeQuery(ctx context.Context, store *storage.Store, query string, w io.Writer, format string) error {
	rows, err := store.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	out, err := newRowWriter(w, format, rows.Columns())
	if err != nil {
		return err
	}
	types := rows.ColumnTypes()
	for rows.Next() {
		targets := make([]any, len(types))
		for i, t := range types {
			targets[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		if err := out.Row(targets); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return out.Close()
}
