package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"tapwatch/storage"
	"tapwatch/storage/sqltext"
)

// checkClauses refuses what this program does not do, with what to do instead.
func checkClauses(c sqltext.Clauses) error {
	switch {
	case c.Outfile:
		return misuse{errors.New("INTO OUTFILE is left to the shell: tapwatch sql \"SELECT … FORMAT CSVWithNames\" > FILE")}
	case c.Verb == "SET":
		return misuse{errors.New("settings hold for one query: write them at its end, as in SELECT … SETTINGS max_execution_time = 300")}
	case c.Verb == "USE":
		return misuse{errors.New("the database is that of storage.clickhouse.database: write DATABASE.TABLE for another")}
	}
	return nil
}

// ask runs one query and writes its rows to w: in the format, or as its own FORMAT says.
// It gives the number of rows, -1 where that is not known.
func ask(ctx context.Context, reader *storage.Reader, query string, w io.Writer, format string) (int, error) {
	clauses := sqltext.ClausesOf(query)
	if err := checkClauses(clauses); err != nil {
		return 0, err
	}
	if clauses.Format == "" {
		return writeAnswer(ctx, reader, storage.Question{SQL: query}, w, format)
	}
	err := reader.Raw(ctx, query, w)
	if errors.Is(err, storage.ErrNoHTTP) {
		return 0, misuse{fmt.Errorf("FORMAT %s needs ClickHouse's HTTP interface: set storage.clickhouse.http_address, or leave FORMAT out and use --format table, json or csv", clauses.Format)}
	}
	return -1, err
}

// writeAnswer streams the rows of an answer to w and counts them.
func writeAnswer(ctx context.Context, reader *storage.Reader, q storage.Question, w io.Writer, format string) (count int, err error) {
	answer, err := reader.Ask(ctx, q)
	if err != nil || len(answer.Columns) == 0 {
		return 0, err
	}
	names := make([]string, len(answer.Columns))
	for i, c := range answer.Columns {
		names[i] = c.Name
	}
	buffer := bufio.NewWriterSize(w, 64<<10)
	out, err := newRowWriter(buffer, format, names)
	if err != nil {
		return 0, errors.Join(err, answer.Close())
	}
	err = answer.Each(func(row []any) error {
		count++
		return out.Row(row)
	})
	if err != nil && count == 0 {
		return 0, err
	}
	return count, errors.Join(err, out.Close(), buffer.Flush()) // what came before an error is shown too
}
