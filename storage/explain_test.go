package storage_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"tapwatch/storage"
)

// TestExplain holds the words for what people do wrong, as ClickHouse says it now.
func TestExplain(t *testing.T) {
	reader, _ := readers(t)
	for query, want := range map[string]string{
		"SELECT bites\nFROM flows":                "line 1, column 8: there is no column bites. Maybe you meant: bytes\n  SELECT bites\n         ^",
		"SELECT 1,\n  f.src_adr\nFROM flows AS f": "line 2, column 3: there is no column f.src_adr. Maybe you meant: f.src_addr\n    f.src_adr\n    ^",
		"SELECT nothing_such_at_all FROM flows":   "line 1, column 8: there is no column nothing_such_at_all\n",
		"SELECT 1 FROM flwos":                     "line 1, column 15: there is no table flwos. Maybe you meant: ",
		"DESCRIBE TABLE flwos":                    "line 1, column 16: there is no table flwos",
		"SELECT cuont() FROM flows":               "line 1, column 8: there is no function cuont. Maybe you meant: ",
		"SELEC 1":                                 "line 1, column 1: the query cannot be understood from here on. Maybe you meant SELECT, not SELEC\n  SELEC 1\n  ^",
		"SELECT 1\nFROM flows\nLIMT 5":            "Maybe you meant LIMIT, not LIMT\n  LIMT 5\n",
		"SELECT (1":                               "line 1, column 8: the parenthesis has no counterpart\n  SELECT (1\n         ^",
		"SELECT 'abc":                             "line 1, column 8: the quote is not closed",
		"SELECT":                                  "the query ends too early",
		"SELECT 1; SELECT 2":                      "several statements",
		"INSERT INTO flows (bytes) VALUES (1)":    "refused, for the session is read-only",
		"SELECT 1 SETTINGS readonly = 0":          "refused, for the session is read-only",
		"SELECT * FROM system.users":              "refused: the read-only user sees the tables of tapwatch and little else",
		"SELECT count() FROM numbers(100) SETTINGS max_rows_to_read = 10":                            "a limit of rows or bytes",
		"SELECT number FROM numbers(100) SETTINGS max_result_rows = 10":                              "a limit of rows or bytes",
		"SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000":     "too much memory (Query memory limit exceeded: would use ",
		"SELECT sleepEachRow(1) FROM numbers(9) SETTINGS max_block_size = 1, max_execution_time = 1": "its time limit of 1 s. Ask for less",
		"SELECT toIPv4('300.1.1.1')": "Cannot parse IPv4",
	} {
		err := func() error {
			a, err := reader.Ask(t.Context(), storage.Question{SQL: query})
			if err != nil {
				return err
			}
			return a.Each(func([]any) error { return nil })
		}()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Expected one of") {
			t.Errorf("%s:\n%v\nwant\n%s", query, err, want)
		}
	}
}

func TestExplainLeavesOtherErrors(t *testing.T) {
	for _, err := range []error{nil, net.ErrClosed, errors.New("x")} {
		if got := storage.Explain("SELECT 1", err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
