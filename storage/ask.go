package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Reader asks a store questions that cannot change it, whatever the user's rights are.
// Safe for concurrent use.
type Reader struct {
	*Store
	// At is where it reads.
	At Endpoint
	// readonly is the user's setting of that name: 1 may change no setting, and 2 any but
	// this one.
	readonly uint8
}

// NewReader gives a reader of a store that was opened at that endpoint. The store stays
// the caller's to close.
func NewReader(ctx context.Context, s *Store, at Endpoint) (*Reader, error) {
	r := &Reader{Store: s, At: at}
	if err := s.QueryRow(ctx, "SELECT toUInt8(getSetting('readonly'))").Scan(&r.readonly); err != nil {
		return nil, fmt.Errorf("ask clickhouse what user %q may do: %w", at.Username, err)
	}
	return r, nil
}

// OpenReader is Open for a Reader, which the caller closes.
func OpenReader(ctx context.Context, at Endpoint, logger *slog.Logger) (*Reader, error) {
	s, err := Open(ctx, at, logger)
	if err != nil {
		return nil, err
	}
	r, err := NewReader(ctx, s, at)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return r, nil
}

// Question is a query and how to run it.
type Question struct {
	SQL string
	// Parameters are the values of {name:Type} in SQL, as plain text; see parameters.go.
	Parameters map[string]string
	// MaxRows ends the answer after so many rows; 0 does not.
	MaxRows int
	// Timeout ends the query; 0 leaves it to the user's max_execution_time.
	Timeout time.Duration
}

// grace is how long after its Timeout a query is given up that ClickHouse has not ended.
const grace = 10 * time.Second

// settings are those that the user may change.
func (r *Reader) settings(q *Question) clickhouse.Settings {
	settings := clickhouse.Settings{}
	if r.readonly == 1 {
		return settings
	}
	if r.readonly == 0 {
		settings["readonly"] = 2
	}
	if q.MaxRows > 0 {
		settings["limit"] = q.MaxRows + 1 // the one more tells that there are more
	}
	if q.Timeout > 0 {
		settings["max_execution_time"] = q.Timeout.Seconds()
	}
	return settings
}

// Ask runs a query. Its error, and that of the answer, is a *QueryError where ClickHouse
// refuses or ends the query. The query ends with ctx.
func (r *Reader) Ask(ctx context.Context, q Question) (*Answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	if q.Timeout > 0 { // not a deadline: clickhouse-go would make a setting of it
		stop := time.AfterFunc(q.Timeout+grace, cancel)
		context.AfterFunc(ctx, func() { stop.Stop() })
	}
	options := []clickhouse.QueryOption{clickhouse.WithSettings(r.settings(&q))}
	if len(q.Parameters) > 0 {
		options = append(options, clickhouse.WithParameters(escapeParameters(q.Parameters)))
	}
	rows, err := r.conn.Query(clickhouse.Context(ctx, options...), q.SQL)
	if errors.Is(err, io.EOF) { // a statement without an answer
		return &Answer{cancel: cancel}, nil
	}
	if err != nil {
		cancel()
		return nil, Explain(q.SQL, err)
	}
	a := &Answer{question: q, rows: rows, cancel: cancel}
	for _, c := range rows.ColumnTypes() {
		a.Columns = append(a.Columns, Column{c.Name(), c.DatabaseTypeName()})
		a.types = append(a.types, c.ScanType())
	}
	return a, nil
}

// Column is a column of an answer, with its type as ClickHouse names it.
type Column struct{ Name, Type string }

// Answer is what a query gives. Each or Close ends it; it is for one goroutine.
type Answer struct {
	// Columns are none where the statement gives no rows.
	Columns []Column
	// Truncated says, after Each, that there were more rows than MaxRows.
	Truncated bool

	question Question
	types    []reflect.Type
	rows     driver.Rows
	cancel   context.CancelFunc
}

// Each calls f with every row, its values as Plain gives them, and closes the answer. An
// error of f ends it.
func (a *Answer) Each(f func(row []any) error) error {
	if a.rows == nil {
		return a.Close()
	}
	for n := 0; a.rows.Next(); n++ {
		if a.question.MaxRows > 0 && n == a.question.MaxRows {
			a.Truncated = true
			a.abandon()
			return nil
		}
		row, err := a.row()
		if err == nil {
			err = f(row)
		}
		if err != nil {
			a.abandon()
			return err
		}
	}
	return a.Close()
}

// row reads the row at which rows is.
func (a *Answer) row() ([]any, error) {
	row := make([]any, len(a.types))
	for i, t := range a.types {
		row[i] = reflect.New(t).Interface()
	}
	if err := a.rows.Scan(row...); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	for i := range row {
		row[i] = Plain(row[i])
		if text, ok := row[i].(string); ok && strings.Contains(a.Columns[i].Type, "Date") && !strings.Contains(a.Columns[i].Type, "DateTime") {
			row[i] = strings.TrimSuffix(text, " 00:00:00") // a Date, which the driver has as a time
		}
	}
	return row, nil
}

// abandon ends the query, whose rest nobody wants: its error says only that.
func (a *Answer) abandon() {
	a.cancel()
	_ = a.rows.Close()
}

// Close ends the answer and tells why the query ended early, if it did.
func (a *Answer) Close() error {
	defer a.cancel()
	if a.rows == nil {
		return nil
	}
	return Explain(a.question.SQL, errors.Join(a.rows.Err(), a.rows.Close()))
}
