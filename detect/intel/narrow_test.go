package intel

import (
	"fmt"
	"testing"
	"time"
)

// TestNarrow holds of which past an indicator is matched, by what was known before.
func TestNarrow(t *testing.T) {
	day := func(n int) time.Time {
		if n == 0 {
			return time.UnixMilli(0).UTC()
		}
		return time.Date(2026, 10, n, 0, 0, 0, 0, time.UTC)
	}
	row := func(learned, from, until, withdrawn int) *entryRow {
		return &entryRow{LearnedAt: day(learned), ChangedAt: day(learned), ValidFrom: day(from), ValidUntil: day(until), WithdrawnAt: day(withdrawn)}
	}
	for _, c := range []struct {
		name   string
		now    *entryRow // learned on the 20th, looked back for 15 days
		before *entryRow
		want   string
	}{
		{"new", row(20, 0, 0, 0), nil, "5-21"},
		{"new, valid since lately", row(20, 12, 0, 0), nil, "12-21"},
		{"new, ended", row(20, 0, 9, 0), nil, "5-9"},
		{"new, only in the time to come", row(20, 25, 0, 0), nil, "none"},
		{"learned by another tapwatch just before", row(20, 0, 0, 0), row(20, 0, 0, 0), "none"},
		{"withdrawn and back", row(20, 0, 0, 0), row(3, 0, 0, 14), "14-21"},
		{"ended and goes on", row(20, 0, 0, 0), row(3, 0, 16, 0), "16-21"},
		{"began earlier than it had said", row(20, 7, 0, 0), row(3, 11, 0, 0), "7-11"},
		{"began earlier, and had been withdrawn", row(20, 7, 0, 0), row(3, 11, 0, 14), "7-21"},
	} {
		f := fresh{entryRow: c.now, from: day(20).AddDate(0, 0, -15), until: day(21)}
		got := "none"
		if f.narrow(c.before); f.from.Before(f.until) {
			got = fmt.Sprintf("%d-%d", f.from.Day(), f.until.Day())
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
