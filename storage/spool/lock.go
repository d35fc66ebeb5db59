package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	lockFile = "lock"
	// lockGrace is how long Open waits for the lock: a process that was killed has
	// it until the kernel has taken back all its memory.
	lockGrace = time.Second
	// lockPoll is how often the lock is tried.
	lockPoll = 20 * time.Millisecond
)

// lock takes the directory for this process, until the file is closed. Children do
// not inherit it.
func lock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the spool: %w", err)
	}
	if err := waitLock(f, dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := writeHolder(f); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, noSpace(err)), f.Close())
	}
	return f, nil
}

func waitLock(f *os.File, dir string) error {
	for began := time.Now(); ; time.Sleep(lockPoll) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if time.Since(began) >= lockGrace {
			return &InUseError{Dir: dir, PID: lockHolder(f.Name())}
		}
	}
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
