package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapwatch/internal/app"
	"tapwatch/internal/testkit"
)

// TestExampleFilesRun starts tapwatch with the example configuration and the example
// inventory, as the README says, on ports and a database of the test's own.
func TestExampleFilesRun(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{"tapwatch.example.yaml": "tapwatch.yaml", "inventory.example.yaml": "inventory.yaml"} {
		text, err := os.ReadFile(filepath.Join("../..", from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := filepath.Abs("../../build") // the geography that `make setup` makes
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(built, filepath.Join(dir, "build")); err != nil {
		t.Fatal(err)
	}
	cfg, err := app.LoadConfig(filepath.Join(dir, "tapwatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Collector.Listen, cfg.Console.Listen = []string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"}, "127.0.0.1:0"
	useDatabase(&cfg, testkit.Database(t))
	running := start(t, cfg)
	if status, body := get(t, "http://"+running.Console.String()+"/api/v1/exporters"); status != 200 || !strings.Contains(body, "pe1.east") {
		t.Errorf("exporters: %d %s", status, body)
	}
}

// TestReload changes the inventory of a running tapwatch; a mistake in the file
// leaves the one before in force.
func TestReload(t *testing.T) {
	cfg := configuration(t)
	cfg.Inventory = filepath.Join(t.TempDir(), "inventory.yaml")
	write := func(text string) {
		if err := os.WriteFile(cfg.Inventory, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("exporters: [{address: 127.8.8.8, name: before}]\n")
	running := start(t, cfg)
	exporters := "http://" + running.Console.String() + "/api/v1/exporters"
	shows := func(name string) bool { _, body := get(t, exporters); return strings.Contains(body, name) }
	if !shows("before") {
		t.Fatal("the inventory of the start is not in force")
	}
	write("exporters: [{address: 127.8.8.8, name: after}]\n")
	if err := running.Reload(); err != nil {
		t.Fatal(err)
	}
	if !shows("after") {
		t.Error("the reloaded inventory is not in force")
	}
	write("exporters: [{address: nowhere}]\n")
	if err := running.Reload(); err == nil || !strings.Contains(err.Error(), "inventory.yaml:1:") {
		t.Errorf("a mistake gives %v", err)
	}
	if !shows("after") {
		t.Error("a mistake took the inventory out of force")
	}
}
