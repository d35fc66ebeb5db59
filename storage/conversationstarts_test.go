package storage_test

import (
	"testing"
	"time"

	"tapwatch/internal/testkit"
)

// A conversation tells of at most 100 starts, in whatever parts they are.
func TestConversationStartsAreBounded(t *testing.T) {
	s := testkit.Store(t)
	for group := range 3 {
		var all []sighting
		for i := range 90 {
			all = append(all, sighting{router: 1, sampling: 1, bytes: 1000, lasted: time.Duration(90*group+i) * time.Millisecond})
		}
		see(t, s, all)
	}
	for _, view := range []string{"conversations", "conversations_by_hour"} {
		got := lines(t, s, "SELECT flows, length(starts) FROM "+view)
		if len(got) != 1 || got[0] != "270 100" {
			t.Errorf("%s has flows and starts %q, want 270 and 100", view, got)
		}
	}
}
