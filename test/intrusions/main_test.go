// Package intrusions replays recordings of real intrusions and holds what the detectors
// make of them against what is known to be in them. docs/intrusions.md explains it.
package intrusions

import (
	"testing"

	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
