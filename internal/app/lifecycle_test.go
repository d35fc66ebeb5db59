package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestLifecycleStopsInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		l := newLifecycle()
		for _, name := range []string{"engine", "writer", "collector"} {
			l.start(name, func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second) // a drain that takes virtual time
				order = append(order, name)
				return ctx.Err()
			})
		}
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		if want := []string{"collector", "writer", "engine"}; !slices.Equal(order, want) {
			t.Errorf("stopped in order %v, want %v", order, want)
		}
	})
}

func TestLifecycleReportsTheFirstFailure(t *testing.T) {
	l := newLifecycle()
	l.start("good", func(ctx context.Context) error { <-ctx.Done(); return nil })
	l.start("bad", func(context.Context) error { return errors.New("disk full") })
	if err := l.wait(t.Context()); err == nil || err.Error() != "bad: disk full" {
		t.Errorf("wait = %v", err)
	}
	if err := l.stop(); err != nil {
		t.Errorf("stop tells again: %v", err)
	}
}

func TestLifecycleReportsAPartThatJustEnds(t *testing.T) {
	l := newLifecycle()
	l.start("quitter", func(context.Context) error { return nil })
	if err := l.wait(t.Context()); err == nil || err.Error() != "quitter: ended unexpectedly" {
		t.Errorf("wait = %v", err)
	}
}
