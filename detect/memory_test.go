package detect_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"tapwatch/detect"
)

// storedHours answers the question of a Memory: when each hour was stored.
type storedHours map[time.Time]time.Time

func (h storedHours) Sessions(context.Context, detect.Window) ([]detect.Session, error) {
	return nil, nil
}

func (h storedHours) Select(_ context.Context, dest any, _ string, _ ...any) error {
	rows := dest.(*[]struct {
		Hour   time.Time `ch:"hour"`
		Stored time.Time `ch:"stored"`
	})
	for hour, stored := range h {
		*rows = append(*rows, struct {
			Hour   time.Time `ch:"hour"`
			Stored time.Time `ch:"stored"`
		}{hour, stored})
	}
	return nil
}

func TestMemory(t *testing.T) {
	hour := func(n int) time.Time { return time.Date(2026, 10, 1, n, 0, 0, 0, time.UTC) }
	var m detect.Memory
	history := &storedHours{hour(0): hour(1), hour(1): hour(2)}
	for i, step := range []struct {
		change    func()
		read, end int
		want      bool
	}{
		{func() {}, 0, 2, true}, // nothing was read yet
		{func() {}, 2, 2, false},
		{func() { (*history)[hour(2)] = hour(3) }, 2, 3, false}, // one more
		{func() { (*history)[hour(1)] = hour(9) }, 3, 3, true},  // made anew
		{func() {}, 3, 3, false},
		{func() { delete(*history, hour(0)) }, 3, 3, true},
		{func() { (*history)[hour(0)] = hour(1) }, 3, 3, true}, // there was none when it was read
		{func() { history = &storedHours{hour(0): hour(1), hour(1): hour(9), hour(2): hour(3)} }, 3, 3, true},
		{func() {}, 3, 3, false},
	} {
		step.change()
		got, err := m.Changed(t.Context(), history, hour(0), hour(step.read), hour(step.end))
		if err != nil || got != step.want {
			t.Errorf("step %d: changed %t, %v; want %t", i, got, err, step.want)
		}
	}
}

// TestMemoryOfCompleteHistory: of a history that is complete nothing is asked.
func TestMemoryOfCompleteHistory(t *testing.T) {
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	one, other := detect.NewStored(nil), detect.NewStored(nil)
	one.CompleteTo(start.Add(time.Hour))
	other.CompleteTo(start.Add(time.Hour))
	var m detect.Memory
	var got []bool
	for _, h := range []*detect.Stored{one, one, other} {
		changed, err := m.Changed(t.Context(), h, start, start, start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, changed)
	}
	if want := []bool{true, false, true}; !slices.Equal(got, want) {
		t.Errorf("changed %v, want %v", got, want)
	}
}
