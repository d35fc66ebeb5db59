package deploy_test

import (
	"slices"
	"testing"

	"tapwatch/internal/app"
)

// TestProgramAcceptsConfiguration reads compose's configuration as the program does,
// which refuses unknown keys and bad values.
func TestProgramAcceptsConfiguration(t *testing.T) {
	cfg, err := app.LoadConfig("tapwatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.Storage.ClickHouse.Addresses, []string{"clickhouse:9000"}; !slices.Equal(got, want) {
		t.Errorf("stores at %v, want %v: not the embedded engine, which the image lacks", got, want)
	}
	if cfg.Console.Listen != "0.0.0.0:8080" || len(cfg.Console.Hosts) == 0 {
		t.Errorf("console listens on %s for the hosts %v", cfg.Console.Listen, cfg.Console.Hosts)
	}
}
