package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tapwatch/alert"
	"tapwatch/internal/evaluate"
	"tapwatch/internal/testkit"
	"tapwatch/simulate/campaign"
)

// TestEvaluateSmall sends a small campaign through the pipeline: what the instant
// detectors must not miss is found, and nothing benign is cried at.
func TestEvaluateSmall(t *testing.T) {
	var said []string
	e := Evaluation{Campaign: campaign.SmallConfig(), Detect: defaultDetectConfig(), Dir: t.TempDir(),
		Say: func(what string, took time.Duration) {
			said = append(said, what)
			t.Logf("%s: %v", what, took.Round(time.Millisecond))
		}}
	store := testkit.Store(t)
	r, err := Evaluate(t.Context(), e, store, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	board := evaluate.Sum([]evaluate.Result{r})
	if err := board.WriteTable(t.Output()); err != nil {
		t.Fatal(err)
	}
	for _, o := range board.Missed {
		t.Errorf("missed: %s (%s), assets %v, peers %v, first %s; seen by %v", o.Label.ID, o.Label.Strength, o.Label.Assets, o.Label.Peers, o.Label.First, o.By)
	}
	if board.TrapsWorst > alert.Medium {
		t.Errorf("something benign was cried at: worst severity %s", board.TrapsWorst)
	}
	for _, a := range board.Wrong {
		if a.Severity >= alert.High {
			t.Errorf("a false alert of severity %s", a.Severity)
		}
		t.Logf("false: %s %s/%s %s (%s %s)", a.Severity, a.Detector, a.Rule, a.Title, a.Trap, a.FirstSeen)
	}

	// What is there is not generated again, and no other campaign is taken for it.
	said, e.Only = nil, []string{"aaa"}
	again, err := Evaluate(t.Context(), e, store, testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(said, "history made") || again.Records != r.Records || len(again.Planted) != len(r.Planted) {
		t.Errorf("a second time: %q, %d records, %d planted; the first %d and %d", said, again.Records, len(again.Planted), r.Records, len(r.Planted))
	}
	e.Campaign.Seed++
	if _, err := Evaluate(t.Context(), e, store, testkit.Logger(t)); err == nil || !strings.Contains(err.Error(), "holds another campaign") {
		t.Errorf("another campaign in the same folder: %v", err)
	}
}
