package app

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tapwatch/inventory"
)

// TestReloadOrder: that it began is told at once, the inventory is in force before
// slower files are read, and nothing is read while tapwatch stops.
func TestReloadOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	if err := os.WriteFile(file, []byte("exporters: [{address: 192.0.2.1, name: r1}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	a := &App{cfg: Config{Inventory: file}, logger: slog.New(slog.NewTextHandler(&log, nil)), inventory: new(inventory.Live)}
	reads := 0
	slow := func() error {
		reads++
		if told := log.String(); !strings.Contains(told, "reloading") || !strings.Contains(told, "inventory reloaded") || len(a.inventory.Load().Exporters) != 1 {
			t.Errorf("the inventory was not first: %s", told)
		}
		return nil
	}
	a.enrich = &enrichment{reloads: []func() error{slow, func() error { a.stopping.Store(true); return nil }, func() error { return errors.New("read while stopping") }}}
	for range 2 {
		if err := a.Reload(); err != nil {
			t.Error(err)
		}
	}
	if reads != 1 || strings.Contains(log.String(), "msg=reloaded") {
		t.Errorf("read %d times: %s", reads, &log)
	}
}
