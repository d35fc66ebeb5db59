package embedded

import (
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A killed tapwatch that nobody waits for has still its number, but its engine is
// ending: the start waits for that, however long it takes.
func TestLockOfAZombie(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Start(); err != nil {
		t.Fatal(err)
	}
	defer gone.Wait()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for end := time.After(20 * time.Second); !zombie(gone.Process.Pid); {
		select {
		case <-poll.C:
		case <-end:
			t.Fatal("the process does not end")
		}
	}
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		engine := hold(t, dir, gone.Process.Pid, syscall.LOCK_EX)
		time.AfterFunc(5*lockGrace, func() { _ = engine.Close() })
		f, err := lock(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}
