package ledger_test

import (
	_ "embed"
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/slowleak"
	"tapwatch/detect/staging"
	"tapwatch/detect/volume"
	"tapwatch/internal/testkit"
)

//go:embed pairs_test.sql
var pairsSQL string

// BenchmarkDetectors runs one window of each of the detectors that read a ledger, at the
// end of a month of 10,000 pairs.
func BenchmarkDetectors(b *testing.B) {
	store := testkit.Store(b)
	end := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	const days = 28
	err := store.Exec(b.Context(), pairsSQL, detect.Param("start", end.AddDate(0, 0, -days)), detect.Param("rows", uint64(days*24*10_000)))
	if err != nil {
		b.Fatal(err)
	}
	h := detect.NewStored(store)
	inv := detecttest.Inventory(b, detecttest.Operator)
	for _, c := range []struct {
		name string
		d    detect.Detector
		w    detect.Window
	}{
		{"volume-hour", volume.New(volume.DefaultConfig(), inv), detect.Window{Start: end.Add(-6 * time.Hour), End: end.Add(-6*time.Hour + 5*time.Minute)}},
		{"volume-midnight", volume.New(volume.DefaultConfig(), inv), detect.Window{Start: end, End: end.Add(5 * time.Minute)}},
		{"slowleak-day", slowleak.New(slowleak.DefaultConfig(), inv), detect.Window{Start: end.AddDate(0, 0, -1), End: end}},
		{"staging-3h", staging.New(staging.DefaultConfig(), inv), detect.Window{Start: end.Add(-3 * time.Hour), End: end}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				found, err := c.d.Detect(b.Context(), c.w, h)
				if err != nil || len(found) > 0 {
					b.Fatalf("found %q, %v", detecttest.Titles(found), err)
				}
			}
		})
	}
}
