package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lock takes the data directory for this process. The lock belongs to the open
// file, which the engine inherits: it is free only when parent and child have both
// ended, however they did.
func lock(ctx context.Context, dataDir string) (*os.File, error) {
	path := filepath.Join(dataDir, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	if err := waitLock(ctx, f, dataDir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := writeHolder(f); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	return f, nil
}

const (
	// lockGrace is how long a lock may be held that will be free at once: by a
	// look of held, or by a process that is being killed.
	lockGrace = time.Second
	// lockPoll is how often the lock is tried.
	lockPoll = 20 * time.Millisecond
)

// waitLock takes the lock. It waits for it, beyond lockGrace, only while its last
// holder is dead: that one's engine is just ending.
func waitLock(ctx context.Context, f *os.File, dataDir string) error {
	began := time.Now()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		holder, waited := lockHolder(f.Name()), time.Since(began)
		if waited > stopTimeout || waited > lockGrace && (holder == 0 || alive(holder)) {
			return &InUseError{DataDir: dataDir, PID: holder}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

// held tells whether a live process has the lock of the data directory. To see that
// it takes the lock for a moment, shared: looks do not disturb one another.
func held(dataDir string) bool {
	f, err := os.Open(filepath.Join(dataDir, lockFile))
	if err != nil {
		return false // no lock was ever taken, or it is not for us to see
	}
	defer f.Close() // gives the lock back
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// alive tells whether the process exists and has not ended.
func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !zombie(pid)
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// lockHolder is the process that wrote the lock last; 0 unknown.
func lockHolder(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(data))) // a half-written pid is an unknown one
	return pid
}

// InUseError says that another process runs an engine on the data directory.
type InUseError struct {
	DataDir string
	PID     int // 0 unknown
}

// Error names the directory, the process and what to do.
func (e *InUseError) Error() string {
	holder := "another process"
	if e.PID != 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the data directory %s is in use by %s: stop it first, or set another storage.embedded.data_dir", e.DataDir, holder)
}
