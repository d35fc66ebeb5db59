package spool

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneSpoolADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Dir: t.TempDir()}
		s := mustOpen(t, cfg)
		_, err := Open(cfg, quiet)
		var inUse *InUseError
		if !errors.As(err, &inUse) || inUse.PID != os.Getpid() || !strings.Contains(err.Error(), cfg.Dir) {
			t.Errorf("the second Open = %v", err)
		}
		if err := os.WriteFile(filepath.Join(cfg.Dir, lockFile), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err = Open(cfg, quiet); !errors.As(err, &inUse) || inUse.PID != 0 {
			t.Errorf("of an unknown process: %v", err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := mustOpen(t, cfg).Close(); err != nil {
			t.Error(err)
		}
	})
}

// A process that is just being killed does not keep a start from it.
func TestLockOfTheDying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Dir: t.TempDir()}
		s := mustOpen(t, cfg)
		time.AfterFunc(lockGrace/2, func() { _ = s.Close() })
		if err := mustOpen(t, cfg).Close(); err != nil {
			t.Error(err)
		}
	})
}
