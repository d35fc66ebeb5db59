package testkit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"tapwatch/storage/embedded"
)

// shared is the one engine of the test binary. A process cannot afford more.
var shared engine

// engine is an embedded engine in a temporary directory, started on demand.
type engine struct {
	mu     sync.Mutex
	engine *embedded.Engine
	err    error // why it did not start
	cancel context.CancelFunc
	done   chan error
	dir    string
}

func (e *engine) get() (*embedded.Engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.engine == nil && e.err == nil {
		e.err = e.start()
	}
	return e.engine, e.err
}

func (e *engine) start() error {
	dir, err := newDir()
	if err != nil {
		return err
	}
	e.dir = dir
	cfg := embedded.DefaultConfig()
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.MaxMemoryBytes = 3 << 30
	return e.run(cfg)
}

// run starts the engine and waits for it.
func (e *engine) run(cfg embedded.Config) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	started, err := embedded.New(cfg, logger)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.cancel, e.done = cancel, make(chan error, 1)
	go func() { e.done <- started.Run(ctx) }()
	wait, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if err := started.Ready(wait); err != nil {
		return err
	}
	e.engine = started
	return nil
}

// end ends the engine, if it runs. The caller has the lock.
func (e *engine) end() error {
	if e.cancel == nil {
		return nil
	}
	e.cancel()
	err := <-e.done
	e.engine, e.cancel = nil, nil
	return err
}

// stop ends the engine, if one was started, and removes its directory.
func (e *engine) stop() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.end()
	if e.dir != "" {
		err = errors.Join(err, os.RemoveAll(e.dir))
	}
	return err
}

// dirPrefix and the process's number begin the name of its temporary directory.
const dirPrefix = "tapwatch-testkit-"

// newDir makes a temporary directory of this process.
func newDir() (string, error) {
	removeLeftovers()
	return os.MkdirTemp("", fmt.Sprintf("%s%d-*", dirPrefix, os.Getpid()))
}

// removeLeftovers removes the directories of test binaries that were killed.
func removeLeftovers() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			slog.Warn("leftover of a killed test cannot be removed", "dir", dir, "error", err)
		}
	}
}
