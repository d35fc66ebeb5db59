package e2e

import (
	"testing"

	"tapwatch/internal/app"
	"tapwatch/internal/captures"
	"tapwatch/internal/testkit"
)

// TestCaptures replays every shared capture of real exporters into the engine and
// compares what ClickHouse then counts with what independent decoders count.
func TestCaptures(t *testing.T) {
	all := append(captures.Index(t), captures.Labelled(t)...)
	if len(all) == 0 {
		return // Index said in one line what did not run
	}
	store := testkit.Store(t)
	cfg := app.DefaultConfig()
	agree := 0
	for _, c := range all {
		done, err := app.Replay(t.Context(), cfg, &app.Database{Store: store}, []string{c.Path}, nil, testkit.Logger(t))
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		got := captures.Totals(sumFlows(t, store, "1"))
		if got.Flows != done.Records {
			t.Errorf("%s: %d records decoded, %d stored", c.Name, done.Records, got.Flows)
		}
		if err := c.Check(got); err != nil {
			t.Error(err)
		} else if got == c.Expected {
			agree++
		}
		if err := store.Exec(t.Context(), "TRUNCATE TABLE flows"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d captures agree with independent decoders; the others are explained in internal/captures", agree, len(all))
	if agree < 110 {
		t.Errorf("only %d agree", agree)
	}
}
