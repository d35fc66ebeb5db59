package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cool empties what speeds a second question up: ClickHouse's caches, and of the page
// cache the engine's files. Other programs' files stay.
func (b *bench) cool(ctx context.Context) error {
	for _, cache := range []string{"MARK CACHE", "UNCOMPRESSED CACHE", "PRIMARY INDEX CACHE", "INDEX MARK CACHE", "INDEX UNCOMPRESSED CACHE", "QUERY CONDITION CACHE"} {
		if err := b.Exec(ctx, "SYSTEM DROP "+cache); err != nil {
			return fmt.Errorf("empty the caches: %w", err)
		}
	}
	return filepath.WalkDir(b.config.Storage.Embedded.DataDir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a part that was merged meanwhile
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return forget(path)
	})
}

// forget drops a file from the page cache.
func forget(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	// What is not written to disk yet could not be dropped.
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return fmt.Errorf("write %s to disk: %w", path, err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("drop %s from the page cache: %w", path, err)
	}
	return nil
}
