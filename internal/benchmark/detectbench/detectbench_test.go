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
)

func TestMain(m *testing.M) { testkit.Main(m) }

// TestSmallBenchmark runs the whole on a small campaign: every result is told, and
// nothing stays behind.
func TestSmallBenchmark(t *testing.T) {
	if _, err := os.Stat("../../../build/geo/country.mmdb"); err != nil {
		t.Fatalf("run `make setup`: %v", err)
	}
	t.Chdir("../../..")
	dir := filepath.Join(t.TempDir(), "bench")
	var out bytes.Buffer
	err := run(t.Context(), []string{"-days", "2", "-pairs", "150", "-backtest", "2h", "-rate", "0.5", "-during", "1m", "-flows", "50", "-triggers", "2", "-dir", dir}, &out)
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
	for _, args := range [][]string{{"-days", "1"}, {"-backtest", "90m"}, {"-rate", "0"}, {"-during", "3s"}, {"-flows", "1"}, {"-triggers", "0"}, {"-parts", "other"}} {
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), args[0]) {
			t.Errorf("%v: error %v", args, err)
		}
	}
}
