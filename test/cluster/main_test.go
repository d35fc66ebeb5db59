package cluster

import (
	"testing"

	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
