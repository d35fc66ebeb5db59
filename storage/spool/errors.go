package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// Errors to ask for with errors.Is.
var (
	// ErrFull says that MaxBytes is reached and nothing may go: all segments are open
	// or being read. Nothing was lost to make room.
	ErrFull = errors.New("the spool is full")
	// ErrNoSpace says that the file system, or the quota on it, is full.
	ErrNoSpace = errors.New("no space left for the spool")
	// ErrEvicted says that the segment was lost to make room.
	ErrEvicted = errors.New("the segment was evicted to make room")
	// ErrRemoved says that the segment was removed by its holder.
	ErrRemoved = errors.New("the segment was removed")
	// ErrOpen says that the segment is not sealed yet.
	ErrOpen = errors.New("the segment is still open")
	// ErrSealed says that the segment takes no more frames.
	ErrSealed = errors.New("the segment is sealed")
	// ErrClosed says that the spool was closed.
	ErrClosed = errors.New("the spool is closed")
)

// InUseError says that another spool, mostly of another process, has the directory.
type InUseError struct {
	Dir string
	PID int // 0 unknown
}

// Error names the directory and the process.
func (e *InUseError) Error() string {
	holder := "another process"
	if e.PID != 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the spool directory %s is in use by %s: stop it first, or set another directory", e.Dir, holder)
}

// noSpace makes an error of a full disk an ErrNoSpace too.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

// notThere is err unless it says that the file does not exist.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
