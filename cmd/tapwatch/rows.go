package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"
)

// rowFormat is how rows come out; it is a flag of every command that prints rows.
type rowFormat struct {
	Format string `short:"f" help:"How rows come out: table, json (an object a line) or csv." enum:"table,json,csv" default:"table"`
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
	default:
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, err := fmt.Fprintln(t, strings.Join(columns, "\t"))
		return &tableRows{t}, err
	}
}

type tableRows struct{ t *tabwriter.Writer }

// cellBreaks would break the table if they stood in a cell.
var cellBreaks = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

func (r *tableRows) Row(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = cellBreaks.Replace(text(v))
	}
	_, err := fmt.Fprintln(r.t, strings.Join(cells, "\t"))
	return err
}

func (r *tableRows) Close() error { return r.t.Flush() }

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
		value, err := json.Marshal(natural(v))
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
	v = natural(v)
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

// natural unwraps pointers, shows IPv4 addresses as such though ClickHouse holds
// them mapped into IPv6, and times in UTC without a zone, as ClickHouse prints
// them.
func natural(v any) any {
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil
		}
		r = r.Elem()
		v = r.Interface()
	}
	switch v := v.(type) {
	case net.IP:
		if a, ok := netip.AddrFromSlice(v); ok {
			return a.Unmap().String()
		}
	case netip.Addr:
		return v.Unmap().String()
	case time.Time:
		if v.Nanosecond() != 0 {
			return v.UTC().Format("2006-01-02 15:04:05.000")
		}
		return v.UTC().Format(time.DateTime)
	case []net.IP:
		all := make([]any, len(v))
		for i := range v {
			all[i] = natural(v[i])
		}
		return all
	case []uint8: // JSON would show base64
		all := make([]uint, len(v))
		for i := range v {
			all[i] = uint(v[i])
		}
		return all
	}
	return v
}
