package collector

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// CheckStateFile says what is wrong with the place of a state file, and leaves nothing
// there. Whether its content is whole is seen at the start.
func CheckStateFile(path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file: name one that tapwatch may write, in a folder of its own", path)
	case err == nil:
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("%w: let tapwatch read it", err)
		}
		_ = f.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: name a file that tapwatch may write", err)
	}
	// Folders that are missing are made when the file is written.
	dir := filepath.Dir(path)
	for {
		_, err := os.Stat(dir)
		if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		break
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+temporary)
	if err != nil {
		return fmt.Errorf("the folder of %s cannot be written: %w: make it writable, or name another file", path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
