package intel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tapwatch/flow"
)

// memory notes what it is told; it fails so many times first.
type memory struct {
	failures int
	told     []string
}

func (m *memory) LearnIndicators(_ context.Context, lists []string, held []flow.Indicator, at time.Time) (int, int, error) {
	if m.failures > 0 {
		m.failures--
		return 0, 0, errors.New("away")
	}
	text := fmt.Sprint(lists, at.IsZero())
	for _, i := range held {
		text += " " + i.Text()
	}
	m.told = append(m.told, text)
	return len(held), 0, nil
}

// TestRemember holds that the lists are told to the memory at the start, whatever fails at
// first, and after each reload that changed them.
func TestRemember(t *testing.T) {
	c := lists(t, "198.51.100.7\n", "203.0.113.0/24\n198.51.100.7\n")
	synctest.Test(t, func(t *testing.T) {
		e := start(t, c, prometheus.NewRegistry())
		m := &memory{failures: 3}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- e.Remember(ctx, m) }()
		time.Sleep(time.Hour) // by the test's clock
		synctest.Wait()
		want := []string{"[a b] false a:198.51.100.7/32 b:203.0.113.0/24 b:198.51.100.7/32"}
		if !slices.Equal(m.told, want) {
			t.Errorf("told %q, want %q", m.told, want)
		}
		write(t, c.Lists[0].File, "198.51.100.8\n")
		if err := e.Reload(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want = append(want, "[a b] false a:198.51.100.8/32 b:203.0.113.0/24 b:198.51.100.7/32")
		if !slices.Equal(m.told, want) {
			t.Errorf("told %q, want %q", m.told, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
