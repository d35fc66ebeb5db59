package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// file is what the spool needs of *os.File; tests have others, with full disks.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
}

// opener is os.OpenFile.
type opener func(name string, flag int, perm fs.FileMode) (file, error)

func openFile(name string, flag int, perm fs.FileMode) (file, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not f: that would be a file which is not nil
	}
	return f, nil
}

// syncDir makes sure that the names in the directory survive a loss of power.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
