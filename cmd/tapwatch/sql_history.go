package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxHistory is how many lines are kept.
const maxHistory = 1000

// history is what was asked, also in sessions before (term.History). The zero history is
// kept nowhere.
type history struct {
	file    string
	entries []string // the oldest first
}

// historyFile is where the history is kept: in the user's folder for state (XDG Base
// Directory Specification).
func historyFile() (string, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "tapwatch", "sql_history"), nil
}

// openHistory reads the file, where there is one, and cuts it to its size. With an error
// comes a history that is kept for the session alone.
func openHistory(file string) (*history, error) {
	h := &history{}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return h, err
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			h.entries = append(h.entries, line)
		}
	}
	if len(h.entries) > maxHistory {
		h.entries = h.entries[len(h.entries)-maxHistory:]
		if err := h.rewrite(file); err != nil {
			return h, err
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return h, err
	}
	h.file = file
	return h, f.Close()
}

// rewrite puts what is kept in the place of the file.
func (h *history) rewrite(file string) error {
	next := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(next, []byte(strings.Join(h.entries, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}

// remember adds what was asked, unless it is the same as before. A file that cannot be
// written was told of when the session began, or has gone since: no reason to disturb.
func (h *history) remember(entry string) {
	if entry == "" || len(h.entries) > 0 && h.entries[len(h.entries)-1] == entry {
		return
	}
	h.entries = append(h.entries, entry)
	if len(h.entries) > maxHistory {
		h.entries = slices.Delete(h.entries, 0, 1)
	}
	if h.file == "" {
		return
	}
	f, err := os.OpenFile(h.file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		h.file = ""
		return
	}
	_, _ = f.WriteString(strings.ReplaceAll(entry, "\n", " ") + "\n")
	_ = f.Close()
}

// Add does nothing: a line may be a part of a statement, which remember gets whole.
func (h *history) Add(string) {}

// Len is how many entries there are.
func (h *history) Len() int { return len(h.entries) }

// At gives an entry; 0 is the latest.
func (h *history) At(i int) string { return h.entries[len(h.entries)-1-i] }
