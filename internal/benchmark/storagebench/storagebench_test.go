package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tapwatch/internal/testkit"
	"tapwatch/inventory"
	"tapwatch/simulate"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestSmallBenchmark runs the whole on a few thousand flows: every question is asked,
// every result told, and nothing stays behind.
func TestSmallBenchmark(t *testing.T) {
	if _, err := os.Stat("../../../build/geo/country.mmdb"); err != nil {
		t.Fatalf("run `make setup`: %v", err)
	}
	t.Chdir("../../..")
	dir := filepath.Join(t.TempDir(), "bench")
	var out bytes.Buffer
	err := run(t.Context(), []string{"-flows", "5000", "-span", "5m", "-block", "2000", "-runs", "4", "-history", "3", "-columns", "-dir", dir}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, name := range headlines {
		line := regexp.MustCompile(`(?m)^bench ` + name + ` (\d+\.\d+)$`).FindStringSubmatch(out.String())
		if line == nil || line[1] == "0.0000" {
			t.Errorf("no result %s in\n%s", name, out.String())
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-flows", "0"}, {"-span", "1s"}, {"-runs", "0"}, {"-dir", t.TempDir()}} {
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), args[0]) {
			t.Errorf("%v: error %v", args, err)
		}
	}
}

// TestColumnsAreNamedOnce holds that akvorado's tables can be made and are filled.
func TestColumnsAreNamedOnce(t *testing.T) {
	inv, err := inventory.Parse("carrier.yaml", simulate.Inventory())
	if err != nil {
		t.Fatal(err)
	}
	seen, filled := map[string]bool{}, 0
	for _, c := range append(akvoradoColumns(inv), akvoradoMore()...) {
		if seen[c.name] {
			t.Errorf("column %s is there twice", c.name)
		}
		seen[c.name] = true
		if c.expression != "" {
			filled++
		}
	}
	if len(seen) < 70 || filled < 45 {
		t.Errorf("%d columns, %d of them filled", len(seen), filled)
	}
}
