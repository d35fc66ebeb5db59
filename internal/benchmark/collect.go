package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"

	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/measure"
)

// tapwatchSubject is this program once more: collector and enrichments, and records
// that are dropped.
type tapwatchSubject struct{ profile string }

func (*tapwatchSubject) name() string { return "tapwatch" }

func (s *tapwatchSubject) start(ctx context.Context, dir string) (*process, error) {
	addr, err := measure.FreeAddr()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{addr: addr, dir: dir}
	p.cmd = exec.CommandContext(ctx, self, commandCollect, "-listen", addr.String())
	if s.profile != "" {
		p.cmd.Args = append(p.cmd.Args, "-cpuprofile", s.profile+".collector")
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.begin(ctx)
}

// collected is what the process prints when it ends.
type collected struct{ Records uint64 }

func (*tapwatchSubject) received(_ context.Context, p *process) (uint64, error) {
	var c collected
	if err := json.Unmarshal(p.out.Bytes(), &c); err != nil {
		return 0, fmt.Errorf("%w in %q", err, p.out.String())
	}
	return c.Records, nil
}

// collect is the process: it works until stdin is closed.
func collect(ctx context.Context, args []string, stdin io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet(commandCollect, flag.ContinueOnError)
	listen := flags.String("listen", "", "address to receive on")
	profile := flags.String("cpuprofile", "", "write a CPU profile to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	c := configuration()
	c.Collector.Listen = []string{*listen}
	finish := func() error { return nil }
	var failed error
	ready := func([]netip.AddrPort) {
		if *profile != "" {
			finish, failed = startProfile(*profile)
		}
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	records, err := app.Discard(ctx, c, ready, logger)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(collected{records})
}
