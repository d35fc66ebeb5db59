package dashboards_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/dashboards/grafana"
	"tapwatch/storage"
)

// result is what a statement gave.
type result struct {
	names, types []string
	rows         [][]any
}

// limits are those under which every query must stay. The rows are what counts; the
// seconds leave room for a machine that runs other tests too.
var limits = clickhouse.Settings{"max_execution_time": 20, "max_rows_to_read": 2_000_000, "max_result_rows": 20_000}

// width is how many points a panel asks Grafana for.
const width = 1000

// run interpolates the query and runs it as the read-only user.
func run(t *testing.T, reader *storage.Store, q grafana.Query, vars grafana.Variables, now time.Time, length time.Duration) result {
	t.Helper()
	sql := interpolated(t, q, vars, now, length)
	r, err := ask(t, reader, sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return r
}

func interpolated(t *testing.T, q grafana.Query, vars grafana.Variables, now time.Time, length time.Duration) string {
	t.Helper()
	if q.Range > 0 {
		length = q.Range
	}
	points := width
	if q.Panel != nil && q.Panel.MaxDataPoints > 0 {
		points = q.Panel.MaxDataPoints
	}
	sql, err := grafana.Interpolate(q.SQL, vars, grafana.Range{
		From: now.Add(-length), To: now, Interval: grafana.Interval(length, points, q.MinInterval),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, q.SQL)
	}
	return sql
}

func ask(t *testing.T, s *storage.Store, sql string) (result, error) {
	return askWith(t, s, sql, limits)
}

func askWith(t *testing.T, s *storage.Store, sql string, settings clickhouse.Settings) (r result, err error) {
	rows, err := s.Query(clickhouse.Context(t.Context(), clickhouse.WithSettings(settings)), sql)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	for _, c := range types {
		r.names = append(r.names, c.Name())
		r.types = append(r.types, c.DatabaseTypeName())
	}
	for rows.Next() {
		row := make([]any, len(types))
		for i, c := range types {
			row[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(row...); err != nil {
			return r, fmt.Errorf("scan a row: %w", err)
		}
		for i := range row {
			row[i] = reflect.ValueOf(row[i]).Elem().Interface()
		}
		r.rows = append(r.rows, row)
	}
	return r, rows.Err()
}

// nothing says whether the result is empty, or one row of zeros as aggregates give.
func (r result) nothing() bool {
	if len(r.rows) == 0 {
		return true
	}
	for _, v := range r.rows[0] {
		if !reflect.ValueOf(v).IsZero() {
			return false
		}
	}
	return len(r.rows) == 1
}
