package ledger_test

import (
	"testing"

	"tapwatch/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
