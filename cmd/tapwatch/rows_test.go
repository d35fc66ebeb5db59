package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRowWriters(t *testing.T) {
	name := "po\tp\n"
	row := []any{net.ParseIP("192.0.2.1"), uint64(7), &name, (*string)(nil), time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), []string{"a", "b"}, map[string]uint64{"x": 1}}
	columns := []string{"addr", "n", "name", "none", "at", "list", "map"}
	for format, want := range map[string]string{
		"table": "addr       n  name   none  at                       list       map\n" +
			"192.0.2.1  7  po p         2026-01-02 03:04:05.006  [\"a\",\"b\"]  {\"x\":1}\n",
		"vertical": "-- row 1 --\naddr  192.0.2.1\n   n  7\nname  po p \nnone  \n  at  2026-01-02 03:04:05.006\nlist  [\"a\",\"b\"]\n map  {\"x\":1}\n",
		"csv": "addr,n,name,none,at,list,map\n" +
			"192.0.2.1,7,\"po\tp\n\",,2026-01-02 03:04:05.006,\"[\"\"a\"\",\"\"b\"\"]\",\"{\"\"x\"\":1}\"\n",
		"json": `{"addr":"192.0.2.1","n":7,"name":"po\tp\n","none":null,"at":"2026-01-02 03:04:05.006","list":["a","b"],"map":{"x":1}}` + "\n",
	} {
		t.Run(format, func(t *testing.T) {
			var s strings.Builder
			w, err := newRowWriter(&s, format, columns)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Row(row); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTablesDoNotSpeakToTheTerminal: what somebody sent to a router stays text.
func TestTablesDoNotSpeakToTheTerminal(t *testing.T) {
	for _, format := range []string{"table", "vertical"} {
		var s strings.Builder
		w, err := newRowWriter(&s, format, []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row([]any{"\x1b[2Jx\x07\u009b"}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil || strings.ContainsAny(s.String(), "\x1b\x07\u009b") {
			t.Errorf("%q, %v", s.String(), err)
		}
	}
}
