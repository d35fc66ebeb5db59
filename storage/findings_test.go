package storage_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tapwatch/alert"
	"tapwatch/internal/testkit"
)

// Several tapwatch store findings side by side, with clocks that differ. Whoever follows
// the alerts by version sees each one.
func TestFollowersMissNoFindingOfSeveralWriters(t *testing.T) {
	const writers, each = 3, 25
	first := testkit.Store(t)
	at := testkit.Engine(t).Writer()
	at.Database = first.Database()
	written := make(chan struct{})
	var group errgroup.Group
	for n := range writers {
		s := testkit.Open(t, at)
		group.Go(func() error {
			for i := range each {
				f := alert.Finding{
					ID: fmt.Sprintf("w%d-%d", n, i), Severity: alert.Severity(1),
					WindowStart: testTime, WindowEnd: testTime.Add(time.Minute), FirstSeen: testTime, LastSeen: testTime,
				}
				if err := s.InsertFindings(t.Context(), []alert.Finding{f}, testTime.Add(time.Duration(i)*time.Millisecond)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	go func() {
		_ = group.Wait() // again below
		close(written)
	}()
	seen, last := map[string]bool{}, uint64(1)
	follow := func() {
		alerts, err := first.Alerts(t.Context(), alert.Query{AfterVersion: last, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range alerts {
			seen[a.ID], last = true, max(last, a.Version)
		}
	}
	for done := false; !done; {
		select {
		case <-written:
			done = true
		default:
		}
		follow()
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != writers*each {
		t.Errorf("a follower sees %d alerts of %d", len(seen), writers*each)
	}
}
