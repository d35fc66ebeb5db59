package storage_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/internal/testkit"
	"tapwatch/storage"
)

// readers are a reader as the read-only user, and one as the user that may do anything.
func readers(t *testing.T) (reader, writer *storage.Reader) {
	t.Helper()
	s := testkit.Store(t)
	readerOf := func(s *storage.Store, at storage.Endpoint) *storage.Reader {
		at.Database = s.Database()
		r, err := storage.NewReader(t.Context(), s, at)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return readerOf(testkit.Reader(t, s), testkit.Engine(t).Reader()), readerOf(s, testkit.Engine(t).Writer())
}

func answerOf(t *testing.T, r *storage.Reader, q storage.Question) (rows [][]any, truncated bool) {
	t.Helper()
	a, err := r.Ask(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", q.SQL, err)
	}
	if err := a.Each(func(row []any) error { rows = append(rows, row); return nil }); err != nil {
		t.Fatalf("%s: %v", q.SQL, err)
	}
	return rows, a.Truncated
}

// TestParameters: what a user gives arrives as it is, in each type that hunts have, and
// cannot leave its place.
func TestParameters(t *testing.T) {
	reader, _ := readers(t)
	for _, c := range []struct {
		typ, text string
		want      any
	}{
		{"String", "mdf3-1", "mdf3-1"},
		{"String", "", ""},
		{"String", `it's "so" \ \n \N`, `it's "so" \ \n \N`},
		{"String", "' OR 1=1; DROP TABLE flows --", "' OR 1=1; DROP TABLE flows --"},
		{"String", "tab\there\nand line\r", "tab\there\nand line\r"},
		{"String", "Zürich {a:String} ?", "Zürich {a:String} ?"},
		{"String", "NULL", "NULL"},
		{"String", "192.0.2.0/24", "192.0.2.0/24"},
		{"IPv6", "::ffff:192.0.2.1", "192.0.2.1"},
		{"IPv6", "2001:db8::7", "2001:db8::7"},
		{"DateTime64(3)", "2026-03-01 06:00:00.123", "2026-03-01 06:00:00.123"},
		{"DateTime64(3, 'UTC')", "2026-03-01 06:00:00.000", "2026-03-01 06:00:00"},
		{"UInt16", "65535", uint16(65535)},
		{"UInt64", "18446744073709551615", uint64(18446744073709551615)},
	} {
		rows, _ := answerOf(t, reader, storage.Question{SQL: "SELECT {a:" + c.typ + "} AS a", Parameters: map[string]string{"a": c.text}})
		if diff := cmp.Diff([][]any{{c.want}}, rows); diff != "" {
			t.Errorf("%s %q: %s", c.typ, c.text, diff)
		}
	}
	// ClickHouse lets numbers overflow (65536 as a UInt16 is 0): Bind must look at them.
	for typ, bad := range map[string]string{"UInt16": "22x", "UInt64": "-1", "IPv6": "1.2.3", "DateTime64(3)": "soon"} {
		if a, err := reader.Ask(t.Context(), storage.Question{SQL: "SELECT {a:" + typ + "}", Parameters: map[string]string{"a": bad}}); err == nil {
			a.Close()
			t.Errorf("%s takes %q", typ, bad)
		}
	}
}

func TestMaxRows(t *testing.T) {
	reader, _ := readers(t)
	for _, c := range []struct {
		query     string
		rows      int
		truncated bool
	}{
		{"SELECT number FROM numbers(1000000000)", 3, true},
		{"SELECT number FROM numbers(3)", 3, false},
		{"SELECT number FROM numbers(10) LIMIT 2", 2, false},
		{"SELECT number FROM numbers(5) UNION ALL SELECT number FROM numbers(5)", 3, true},
		{"SELECT max(number) FROM (SELECT number FROM numbers(100))", 1, false},
		{"SELECT number FROM numbers(100) WHERE 0", 0, false},
	} {
		rows, truncated := answerOf(t, reader, storage.Question{SQL: c.query, MaxRows: 3})
		if len(rows) != c.rows || truncated != c.truncated {
			t.Errorf("%s: %d rows, truncated %v", c.query, len(rows), truncated)
		}
		if c.rows == 1 && rows[0][0] != uint64(99) {
			t.Errorf("the limit holds for subqueries: %v", rows)
		}
	}
}

// TestReaderCannotWrite holds for the user that may do everything too.
func TestReaderCannotWrite(t *testing.T) {
	reader, writer := readers(t)
	for _, r := range []*storage.Reader{reader, writer} {
		for _, statement := range []string{
			"INSERT INTO flows (bytes) SELECT 1", "TRUNCATE TABLE flows", "CREATE TABLE x (a Int8) ENGINE = Memory",
			"ALTER TABLE flows DELETE WHERE 1", "INSERT INTO flows (bytes) SETTINGS readonly = 0 SELECT 1",
		} {
			err := func() error {
				a, err := r.Ask(t.Context(), storage.Question{SQL: statement})
				if err != nil {
					return err
				}
				return a.Close()
			}()
			var refusal *storage.QueryError
			if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "read-only") {
				t.Errorf("%s: %v", statement, err)
			}
			if err := r.Raw(t.Context(), statement, new(bytes.Buffer)); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "read-only") {
				t.Errorf("over HTTP: %s: %v", statement, err)
			}
		}
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	reader, writer := readers(t)
	const query = "SELECT sleepEachRow(0.1), 'cancel me' FROM numbers(300) SETTINGS max_block_size = 1"
	for name, ask := range map[string]func(context.Context) error{
		"native": func(ctx context.Context) error {
			a, err := reader.Ask(ctx, storage.Question{SQL: query})
			if err != nil {
				return err
			}
			return a.Each(func([]any) error { return nil })
		},
		"raw": func(ctx context.Context) error { return reader.Raw(ctx, query+" FORMAT CSV", new(bytes.Buffer)) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(300*time.Millisecond, cancel)
			began := time.Now()
			if err := ask(ctx); err == nil || time.Since(began) > 10*time.Second {
				t.Errorf("ended after %s: %v", time.Since(began), err)
			}
			testkit.Eventually(t, "the query ends in ClickHouse", func() bool {
				rows, _ := answerOf(t, writer, storage.Question{SQL: "SELECT count() FROM system.processes WHERE query LIKE '%cancel me%' AND query NOT LIKE '%processes%'"})
				return rows[0][0] == uint64(0)
			})
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it ran on for %s", took)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	reader, _ := readers(t)
	a, err := reader.Ask(t.Context(), storage.Question{
		SQL: "SELECT sleepEachRow(0.2) FROM numbers(100) SETTINGS max_block_size = 1", Timeout: time.Second,
	})
	if err == nil {
		err = a.Each(func([]any) error { return nil })
	}
	var e *storage.QueryError
	if !errors.As(err, &e) || !e.Limit || !strings.Contains(e.Words, "time limit of 1 s") {
		t.Errorf("%v", err)
	}
}

func TestRaw(t *testing.T) {
	reader, _ := readers(t)
	var out bytes.Buffer
	if err := reader.Raw(t.Context(), "SELECT 1 AS a, 'x' AS b FORMAT JSONEachRow", &out); err != nil || out.String() != `{"a":1,"b":"x"}`+"\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	err := reader.Raw(t.Context(), "SELECT number, throwIf(number = 2000000) FROM numbers(3000000) FORMAT CSV", &out)
	var e *storage.QueryError
	if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "Value passed to") || strings.Contains(err.Error(), "version") {
		t.Errorf("%v", err)
	}
	if out.Len() < 1_000_000 || strings.Trim(out.String(), "0123456789,\n") != "" {
		t.Errorf("%d bytes, the error among them: %q", out.Len(), out.String()[max(0, out.Len()-300):])
	}
	if err := reader.Raw(t.Context(), "SELEC 1 FORMAT CSV", &out); !errors.As(err, &e) || e.Place.Line != 1 || e.Place.Column != 1 {
		t.Errorf("%v", err)
	}
	elsewhere := *reader
	elsewhere.At.HTTPAddress = ""
	if err := elsewhere.Raw(t.Context(), "SELECT 1", &out); !errors.Is(err, storage.ErrNoHTTP) {
		t.Errorf("%v", err)
	}
}
