package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// hold takes the lock of the directory as another process with the number would.
func hold(t *testing.T, dir string, pid, how int) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // a test may have done so
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Name(), []byte(strconv.Itoa(pid)), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// Somebody who only looks, or is just being killed, does not keep a start from it.
func TestLockWaitsForALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		look := hold(t, dir, os.Getpid(), syscall.LOCK_SH)
		time.AfterFunc(lockGrace/2, func() { _ = look.Close() })
		f, err := lock(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLockOfTheLiving(t *testing.T) {
	for _, pid := range []int{os.Getpid(), 0} {
		synctest.Test(t, func(t *testing.T) {
			dir, began := t.TempDir(), time.Now()
			hold(t, dir, pid, syscall.LOCK_EX)
			_, err := lock(t.Context(), dir)
			var inUse *InUseError
			if !errors.As(err, &inUse) || inUse.PID != pid {
				t.Errorf("lock = %v, want that process %d has it", err, pid)
			}
			if took := time.Since(began); took < lockGrace || took > 2*lockGrace {
				t.Errorf("that took %s", took)
			}
		})
	}
}

func TestHeld(t *testing.T) {
	dir := t.TempDir()
	if held(dir) {
		t.Error("a directory without a lock is held")
	}
	f := hold(t, dir, 1, syscall.LOCK_EX)
	if !held(dir) || !held(dir) {
		t.Error("a locked directory is not held")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if held(dir) {
		t.Error("a directory whose lock was given back is held")
	}
}
