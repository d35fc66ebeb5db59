package storage_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
)

// TestLearnIndicators follows lists over some days: what is learned, changed, withdrawn and
// learned again, and that the same again is nothing.
func TestLearnIndicators(t *testing.T) {
	s := testkit.Store(t)
	day := func(n int) time.Time { return time.Date(2026, 11, n, 10, 0, 0, 0, time.UTC) }
	one := func(prefix string, from, until int, description string) flow.Indicator {
		i := flow.Indicator{List: "a", Prefix: netip.MustParsePrefix(prefix), Description: description, Actor: "X", Confidence: 80}
		if from > 0 {
			i.ValidFrom = day(from)
		}
		if until > 0 {
			i.ValidUntil = day(until)
		}
		return i
	}
	const p, q = "198.51.100.7/32", "2001:db8::/32"
	other := flow.Indicator{List: "b", Prefix: netip.MustParsePrefix(p)}
	steps := []struct {
		name               string
		day                int
		held               []flow.Indicator
		learned, withdrawn int
	}{
		{"both lists arrive", 1, []flow.Indicator{one(p, 0, 0, "x"), one(q, 5, 0, ""), other}, 3, 0},
		{"the same again", 2, []flow.Indicator{other, one(p, 0, 0, "x"), one(q, 5, 0, "")}, 0, 0},
		{"another description", 3, []flow.Indicator{one(p, 0, 0, "y"), one(q, 5, 0, ""), other}, 0, 0},
		{"it began earlier", 4, []flow.Indicator{one(p, 0, 0, "y"), one(q, 3, 0, ""), other}, 1, 0},
		{"it began later", 5, []flow.Indicator{one(p, 0, 0, "y"), one(q, 4, 0, ""), other}, 0, 0},
		{"it ends, and one is withdrawn", 6, []flow.Indicator{one(q, 4, 7, ""), other}, 0, 1},
		{"nothing new", 7, []flow.Indicator{one(q, 4, 7, ""), other}, 0, 0},
		{"it goes on after its end, and the other comes back", 8, []flow.Indicator{one(p, 0, 0, "y"), one(q, 4, 20, ""), other}, 2, 0},
		{"it goes on before its end", 9, []flow.Indicator{one(p, 0, 0, "y"), one(q, 4, 0, ""), other}, 0, 0},
		{"all are gone", 10, nil, 0, 3},
		{"still gone", 11, nil, 0, 0},
	}
	for _, step := range steps {
		learned, withdrawn, err := s.LearnIndicators(t.Context(), []string{"a", "b"}, step.held, day(step.day))
		if err != nil {
			t.Fatal(err)
		}
		if learned != step.learned || withdrawn != step.withdrawn {
			t.Errorf("%s: %d learned, %d withdrawn; want %d, %d", step.name, learned, withdrawn, step.learned, step.withdrawn)
		}
	}
	// Lists that are not named stay as they are.
	if learned, withdrawn, err := s.LearnIndicators(t.Context(), []string{"c"}, nil, day(12)); err != nil || learned+withdrawn > 0 {
		t.Errorf("of another list: %d, %d, %v", learned, withdrawn, err)
	}
	got := lines(t, s, `SELECT indicator, toDayOfMonth(changed_at), toDayOfMonth(learned_at), if(withdrawn_at = 0, 0, toDayOfMonth(withdrawn_at)), description
		FROM indicators WHERE list = 'a' ORDER BY indicator, changed_at`)
	want := strings.Split(strings.TrimSpace(`
198.51.100.7/32 1 1 0 x
198.51.100.7/32 3 1 0 y
198.51.100.7/32 6 1 6 y
198.51.100.7/32 8 8 0 y
198.51.100.7/32 10 8 10 y
`), "\n")
	want = append(want, "2001:db8::/32 1 1 0 ", "2001:db8::/32 4 4 0 ", "2001:db8::/32 5 4 0 ", "2001:db8::/32 6 4 0 ", "2001:db8::/32 8 8 0 ", "2001:db8::/32 9 8 0 ", "2001:db8::/32 10 8 10 ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}
