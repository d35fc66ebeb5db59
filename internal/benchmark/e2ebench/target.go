package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"tapwatch/internal/benchmark/measure"
	"tapwatch/storage"
	"tapwatch/storage/embedded"
)

// target is a running tapwatch with its engine.
type target struct {
	cmd     *exec.Cmd
	stdin   io.Closer // open as long as it is to run
	addr    netip.AddrPort
	console string
	engine  int // its process
	store   *storage.Store
}

// startTarget starts tapwatch with empty tables and waits until it works.
func (b *bench) startTarget(ctx context.Context) (t *target, err error) {
	t = &target{}
	if t.addr, err = measure.FreeAddr(); err != nil {
		return nil, err
	}
	if t.console, err = freeTCP(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t.cmd = exec.CommandContext(ctx, self, commandTapwatch, "-dir", b.dir, "-listen", t.addr.String(), "-console", t.console)
	t.cmd.Stdout, t.cmd.Stderr = os.Stderr, os.Stderr
	if t.stdin, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	t.cmd.Cancel = func() error { return t.cmd.Process.Signal(os.Interrupt) }
	t.cmd.WaitDelay = time.Minute
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start tapwatch: %w", err)
	}
	if err := t.open(ctx, b.dir); err != nil {
		return nil, errors.Join(err, t.end())
	}
	return t, nil
}

func (t *target) pid() int { return t.cmd.Process.Pid }

// startPatience bounds how long tapwatch takes to start: a loaded machine is slow.
const startPatience = 3 * time.Minute

// open waits until tapwatch is ready, and opens its store.
func (t *target) open(ctx context.Context, dir string) error {
	waiting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	err := measure.Poll(waiting, func() (bool, error) {
		if measure.Ended(t.pid()) {
			return false, errors.New("it ended at once")
		}
		response, err := http.Get("http://" + t.console + "/readyz")
		if err != nil {
			return false, nil // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("start tapwatch: %w", err)
	}
	cfg, err := configuration(dir)
	if err != nil {
		return err
	}
	state, ok := embedded.Running(cfg.Storage.Embedded.DataDir)
	if !ok {
		return errors.New("start tapwatch: it is ready, but its engine does not run")
	}
	t.engine = state.PID
	if t.store, err = storage.Open(waiting, state.WriterEndpoint(), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	return empty(ctx, t.store)
}

// end stops it in order.
func (t *target) end() error {
	var err error
	if t.store != nil {
		err = t.store.Close()
	}
	return errors.Join(err, t.stdin.Close(), t.cmd.Wait())
}

// rows is how many flows are stored.
func (t *target) rows(ctx context.Context) (n uint64, err error) {
	err = t.store.QueryRow(ctx, "SELECT count() FROM flows").Scan(&n)
	return n, err
}

// fed are the tables that an insert of flows fills.
var fed = []string{"flows", "watched_flows", "conversations_minute", "conversations_hour", "exporter_activity"}

// empty removes all flows, and waits for merges that run to end.
func empty(ctx context.Context, s *storage.Store) error {
	for _, table := range fed {
		if err := s.Exec(ctx, "TRUNCATE TABLE "+table); err != nil {
			return fmt.Errorf("empty %s: %w", table, err)
		}
	}
	return measure.Poll(ctx, func() (bool, error) {
		var merges uint64
		err := s.QueryRow(ctx, "SELECT count() FROM system.merges").Scan(&merges)
		return merges == 0, err
	})
}

// freeTCP gives an address of 127.0.0.1 whose TCP port was free a moment ago.
func freeTCP() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
