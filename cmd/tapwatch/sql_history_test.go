package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistoryIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "sql_history")
	h, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range maxHistory + 50 {
		h.remember(fmt.Sprint("SELECT ", n, ";"))
	}
	h.remember(fmt.Sprint("SELECT ", maxHistory+49, ";")) // the same again
	if h.Len() != maxHistory || h.At(0) != fmt.Sprint("SELECT ", maxHistory+49, ";") {
		t.Errorf("%d entries, the last %s", h.Len(), h.At(0))
	}
	h, err = openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(readFile(t, file), "\n"); h.Len() != maxHistory || lines != maxHistory || h.At(maxHistory-1) != "SELECT 50;" {
		t.Errorf("%d entries, %d lines, the oldest %s", h.Len(), lines, h.At(maxHistory-1))
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestHistoryFile(t *testing.T) {
	t.Setenv("HOME", "/home/hunter")
	for state, want := range map[string]string{
		"": "/home/hunter/.local/state/tapwatch/sql_history", "relative": "/home/hunter/.local/state/tapwatch/sql_history", "/state": "/state/tapwatch/sql_history",
	} {
		t.Setenv("XDG_STATE_HOME", state)
		if got, err := historyFile(); err != nil || got != want {
			t.Errorf("%q: %s, %v", state, got, err)
		}
	}
}

// TestKeys: Ctrl-C comes alone to who reads, and while a query runs it ends that.
func TestKeys(t *testing.T) {
	in, person := io.Pipe()
	k := newKeys(in)
	buffer := make([]byte, 64)
	read := func() string {
		n, err := k.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	io.WriteString(person, "ab\x03cd")
	if a, b := read(), read(); a != "ab" || b != "\x03" || !k.interrupted() || k.interrupted() {
		t.Errorf("%q, %q", a, b)
	}
	if got := read(); got != "cd" {
		t.Errorf("%q", got)
	}
	cancelled := make(chan bool, 1)
	done := k.onInterrupt(func() { cancelled <- true })
	io.WriteString(person, "typed ahead\x03SELECT")
	<-cancelled
	done()
	if got := read(); got != "SELECT" || k.interrupted() {
		t.Errorf("%q", got)
	}
	person.Close()
	if _, err := k.Read(buffer); err != io.EOF {
		t.Errorf("%v", err)
	}
}
