package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	up        = "\x1b[A"
	interrupt = "\x03"
	endOfFile = "\x04"
)

// TestPrompt is a session of a hunter, and another one the next day.
func TestPrompt(t *testing.T) {
	capture := withEngine(t, "softflowd-netflow9.pcap")
	if r := tapwatch(t, nil, "replay", capture); r.code != exitGood {
		t.Fatalf("replay: %+v", r)
	}
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)

	p := atTerminal(t, "sql")
	p.expect("database tapwatch, read-only")
	p.expect(firstPrompt)

	// A statement over several lines.
	p.types("SELECT count() AS flows,\r")
	p.expect(morePrompt)
	p.types("  'a;b' AS text FROM flows;\r")
	p.expect("flows  text\r\n72     a;b\r\n(1 row, ")

	// An error does not end it.
	p.types("SELECT bites FROM flows;\r")
	p.expect("Error: line 1, column 8: there is no column bites. Maybe you meant: bytes\r\n  SELECT bites FROM flows\r\n         ^\r\n")
	p.types("TRUNCATE TABLE flows;\r")
	p.expect("Error: refused, for the session is read-only")

	// Completion: one candidate, several, hunts.
	p.types("SELECT coun\t\t")
	p.expect("countDigits(")
	p.types("() AS n FROM exporter_h\t")
	p.expect("exporter_health ")
	p.types(";\r")
	p.expect("(1 row, ")
	p.types("\\hunt top-t\t\r")
	p.expect("row")
	p.expect(firstPrompt)
	p.types("\\hunt asset-peers\r")
	p.expect("asset: must be given")
	p.expect("for example: \\hunt asset-peers asset=")

	// Ctrl-C drops the line, or ends a query.
	p.types("SELECT 'never run" + interrupt)
	p.expect("^C\r\n")
	p.expect(firstPrompt)
	p.types("SELECT sleepEachRow(1) FROM numbers(50) SETTINGS max_block_size = 1;\r")
	time.Sleep(500 * time.Millisecond)
	began := time.Now()
	p.types(interrupt)
	p.expect("Cancelled after ")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("cancelled after %s", took)
	}
	p.types("SELECT 7 * 6 AS answer;\r")
	p.expect("answer\r\n42\r\n")

	// What begins with a backslash.
	p.types("\\d\r")
	p.expect("watched_flows")
	p.expect("rows, ")
	p.types("\\d flwos\r")
	p.expect("There is no table flwos: did you mean flows?")
	p.types("\\d flows\r")
	p.expect("received_at")
	p.expect("When the collector received the record")
	p.expect("rows, ")
	p.types("\\x\r")
	p.types("SELECT 1 AS narrow, 2 AS n;\r")
	p.expect("-- row 1 --\r\nnarrow  1\r\n     n  2\r\n")
	p.types("SELECT 1 AS a FORMAT JSONEachRow;\r")
	p.expect("{\"a\":1}\r\n")
	p.types("SET max_threads = 1;\r")
	p.expect("Error: settings hold for one query")
	p.types("\\nothing\r")
	p.expect("There is no command \\nothing")
	p.types("help\r")
	p.expect("Tab completes")
	p.types("exit\r")
	p.left(exitGood)

	file := filepath.Join(state, "tapwatch", "sql_history")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if text := readFile(t, file); !strings.Contains(text, "SELECT count() AS flows, 'a;b' AS text FROM flows;\n") || strings.Contains(text, "never run") {
		t.Errorf("history:\n%s", text)
	}

	p = atTerminal(t, "sql")
	p.expect(firstPrompt)
	p.types(up + up + up + up + up) // over help, \nothing, SET and FORMAT
	p.expect("SELECT 1 AS narrow, 2 AS n;")
	p.types("\r")
	p.expect("narrow  n\r\n1       2\r\n")
	p.types(endOfFile)
	p.left(exitGood)
}

// TestPromptWithoutHistory: where it cannot be kept, that is said, and no more.
func TestPromptWithoutHistory(t *testing.T) {
	capture := withEngine(t, "softflowd-netflow9.pcap")
	if r := tapwatch(t, map[string]string{"file": ""}, "replay", capture); r.code != exitGood {
		t.Fatalf("replay: %+v", r)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", filepath.Join(here, "file"))
	p := atTerminal(t, "sql")
	p.expect("The history is not kept: ")
	p.types("SELECT 5 + 5 AS ten;\r")
	p.expect("ten\r\n10\r\n")
	p.types("\\q\r")
	p.left(exitGood)
}
