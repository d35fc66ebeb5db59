//go:build linux

// Package chaos kills, stops and starves tapwatch and its engine while exporters send,
// and then counts: every record that was counted as received is stored exactly once, in
// `flows` and in each table that depends on it.
package chaos

import (
	"flag"
	"testing"

	"tapwatch/internal/testkit"
)

// kills is how often the engine is killed; `make chaos` kills it more often.
var kills = flag.Int("kills", 6, "how often the engine is killed in the middle of inserts")

func TestMain(m *testing.M) { testkit.Main(m) }
