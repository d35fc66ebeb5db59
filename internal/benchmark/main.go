// Command benchmark measures tapwatch's collector beside others on this machine:
//
//	go run ./internal/benchmark [-short] [-parts micro,exporters,loopback] [-cpuprofile FILE]
//
// It prints what it does in lines for people, and at the end a line for each result:
// bench NAME VALUE. docs/benchmarks.md says how everything is measured. It needs
// Linux, the files of `make setup`, and for the part loopback nfdump's nfcapd. It is
// run from the root of the repository, and sends over the loopback interface alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
)

// The first argument of the processes that the part loopback starts of this program.
const (
	commandCollect = "collect"
	commandSend    = "send"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == commandCollect {
		return collect(ctx, args[1:], os.Stdin, out)
	}
	if len(args) > 0 && args[0] == commandSend {
		return send(ctx, args[1:], out)
	}
	return measureParts(ctx, args, out)
}

// The parts, in the order they are run: memory first, while the process has none.
const (
	partExporters = "exporters"
	partMicro     = "micro"
	partLoopback  = "loopback"
)

// measureParts runs the parts and prints the results.
func measureParts(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	short := flags.Bool("short", false, "a quick look: fewer and shorter rounds, numbers less certain")
	chosen := flags.String("parts", "micro,exporters,loopback", "what to measure")
	profile := flags.String("cpuprofile", "", "write a CPU profile of micro and exporters to FILE, and of the collector process of loopback to FILE.collector")
	if err := flags.Parse(args); err != nil {
		return err
	}
	parts := strings.Split(*chosen, ",")
	for _, p := range parts {
		if !slices.Contains([]string{partExporters, partMicro, partLoopback}, p) {
			return fmt.Errorf("-parts: there is no part %q", p)
		}
	}
	r := &report{Out: out, Headlines: headlines}
	if slices.Contains(parts, partLoopback) {
		if err := needNfcapd(); err != nil {
			return err
		}
	}
	if err := printMachine(ctx, out); err != nil {
		return err
	}
	if *profile != "" {
		stop, err := startProfile(*profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	if slices.Contains(parts, partExporters) {
		if err := measureExporters(ctx, r, *short); err != nil {
			return fmt.Errorf("%s: %w", partExporters, err)
		}
	}
	if slices.Contains(parts, partMicro) {
		if err := measureMicro(ctx, r, *short); err != nil {
			return fmt.Errorf("%s: %w", partMicro, err)
		}
	}
	if slices.Contains(parts, partLoopback) {
		if err := measureLoopback(ctx, r, *short, *profile); err != nil {
			return fmt.Errorf("%s: %w", partLoopback, err)
		}
	}
	r.Print()
	return nil
}

// startProfile profiles this process until stop is called.
func startProfile(file string) (stop func() error, err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, nil
}
