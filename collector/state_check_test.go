package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckStateFile: what cannot be written is told, and nothing is left behind.
func TestCheckStateFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.json")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                                   "",
		filepath.Join(dir, "new.json"):         "",
		filepath.Join(dir, "a/b/c/state.json"): "",
		dir:                                    "is no file",
		filepath.Join(file, "state.json"):      "not a directory",
		filepath.Join(file, "a", "state.json"): "not a directory",
		"/proc/self/nowhere/state.json":        "cannot be written",
	} {
		err := CheckStateFile(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if all := namesIn(t, dir); len(all) != 1 {
		t.Errorf("left %v", all)
	}
}

// TestStateFileCannotBeWritten: that is told at the start.
func TestStateFileCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRun(t, filepath.Join(file, "state.json"), start, nil, nil)
	if told := r.log.String(); !strings.Contains(told, "level=WARN") || !strings.Contains(told, "collector.state_file") {
		t.Errorf("log %s", told)
	}
}

// TestDamagedStateTwice: a second damaged file does not take the place of the first,
// and what was not set aside is not to be repaired.
func TestDamagedStateTwice(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	asides := []string{".damaged", ".damaged.2", ".damaged.3"}
	for _, aside := range asides {
		if err := os.WriteFile(file, []byte("bad "+aside), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := newRun(t, file, start, nil, nil); !strings.Contains(r.log.String(), "set_aside_as="+file+aside+" ") {
			t.Errorf("log %s", &r.log)
		}
	}
	for _, aside := range asides {
		if kept, err := os.ReadFile(file + aside); err != nil || string(kept) != "bad "+aside {
			t.Errorf("%s: %q, %v", aside, kept, err)
		}
	}
	r := newRun(t, t.TempDir(), start, nil, nil)
	if told := r.log.String(); strings.Contains(told, "repair") || strings.Contains(told, "set_aside_as") {
		t.Errorf("log %s", told)
	}
}
