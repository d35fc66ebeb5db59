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

// TestMain is this program too, for the processes that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == commandTapwatch || os.Args[1] == commandSend) {
		main()
		return
	}
	testkit.Main(m)
}

// TestSmallBenchmark runs all parts for moments, at rates that any machine can do.
func TestSmallBenchmark(t *testing.T) {
	if _, err := os.Stat("../../../build/geo/country.mmdb"); err != nil {
		t.Fatalf("run `make setup`: %v", err)
	}
	t.Chdir("../../..")
	dir := filepath.Join(t.TempDir(), "bench")
	var out bytes.Buffer
	err := run(t.Context(), []string{"-dir", dir, "-ring", "3000", "-simulated-rate", "100", "-ceiling", "1s",
		"-rate", "1000", "-long", "2s", "-growth", "1", "-away", "2s", "-away-rate", "1000"}, &out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, name := range headlines {
		line := regexp.MustCompile(`(?m)^bench ` + name + ` (-?\d+\.\d+)$`).FindStringSubmatch(out.String())
		if line == nil {
			t.Errorf("no result %s in\n%s", name, out.String())
		} else if zero := line[1] == "0.0000"; zero != (name == "away_lost") && name != "generator_cpu_ns_per_flow" {
			t.Errorf("%s is %s in\n%s", name, line[1], out.String())
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-parts", "speed"}, "-parts"},
		{[]string{"-parts", "search"}, "-rate"},
		{[]string{"-ring", "3"}, "-ring"},
		{[]string{"-away", "1ms"}, "-away"},
		{[]string{"-parts", "away", "-dir", t.TempDir()}, "-dir"},
	} {
		if err := run(t.Context(), c.args, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v", c.args, err)
		}
	}
}
