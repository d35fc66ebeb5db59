package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"tapwatch/storage"
)

// rowFormat is how rows come out; it is a flag of every command that prints rows.
type rowFormat struct {
	Format string `help:"How rows come out: table, json (an object a line) or csv." enum:"table,json,csv" default:"table"`
}

// rowWriter writes rows of named columns in one format.
type rowWriter interface {
	// Row writes one row; values are in the order of the columns.
	Row(values []any) error
	// Close writes what is held back.
	Close() error
}

func newRowWriter(w io.Writer, format string, columns []string) (rowWriter, error) {
	switch format {
	case "json":
		return &jsonRows{json.NewEncoder(w), columns}, nil
	case "csv":
		c := csv.NewWriter(w)
		return &csvRows{c}, c.Write(columns)
	case "vertical":
		return &verticalRows{w: w, columns: columns}, nil
	default:
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, err := fmt.Fprintln(t, strings.Join(columns, "\t"))
		return &tableRows{t: t}, err
	}
}

// tableBlock is how many rows of a table are held back to align their columns: a table
// of many millions must not fill the memory.
const tableBlock = 10_000

type tableRows struct {
	t    *tabwriter.Writer
	rows int
}

// cellOf is a value in one line of a table: what would break the line, or speak to the
// terminal, is a space.
func cellOf(v any) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text(v))
}

func (r *tableRows) Row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = cellOf(v)
	}
	if _, err := fmt.Fprintln(r.t, strings.Join(cells, "\t")); err != nil {
		return err
	}
	if r.rows++; r.rows%tableBlock == 0 {
		return r.t.Flush()
	}
	return nil
}

func (r *tableRows) Close() error { return r.t.Flush() }

// verticalRows has a line for each value, for rows wider than the screen.
type verticalRows struct {
	w       io.Writer
	columns []string
	rows    int
}

func (r *verticalRows) Row(values []any) error {
	width := 0
	for _, name := range r.columns {
		width = max(width, utf8.RuneCountInString(name))
	}
	r.rows++
	s := fmt.Sprintf("-- row %d --\n", r.rows)
	for i, v := range values {
		s += fmt.Sprintf("%*s  %s\n", width, r.columns[i], cellOf(v))
	}
	_, err := io.WriteString(r.w, s)
	return err
}

func (r *verticalRows) Close() error { return nil }

type csvRows struct{ c *csv.Writer }

func (r *csvRows) Row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = text(v)
	}
	return r.c.Write(cells)
}

func (r *csvRows) Close() error {
	r.c.Flush()
	return r.c.Error()
}

type jsonRows struct {
	e       *json.Encoder
	columns []string
}

// Row writes the object by hand, because a map would lose the columns' order.
func (r *jsonRows) Row(values []any) error {
	var s strings.Builder
	s.WriteByte('{')
	for i, v := range values {
		if i > 0 {
			s.WriteByte(',')
		}
		key, err := json.Marshal(r.columns[i])
		if err != nil {
			return err
		}
		value, err := json.Marshal(storage.Plain(v))
		if err != nil {
			return fmt.Errorf("column %s: %w", r.columns[i], err)
		}
		s.Write(key)
		s.WriteByte(':')
		s.Write(value)
	}
	s.WriteByte('}')
	return r.e.Encode(json.RawMessage(s.String()))
}

func (r *jsonRows) Close() error { return nil }

// text is how a person reads a value.
func text(v any) string {
	v = storage.Plain(v)
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice, reflect.Map, reflect.Struct, reflect.Array:
		if b, err := json.Marshal(v); err == nil {
			return string(b)
		}
	}
	return fmt.Sprint(v)
}
