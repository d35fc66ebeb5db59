// Command e2ebench measures how many flows tapwatch takes from the network into an
// embedded ClickHouse on the same machine, beside what that ClickHouse takes at most, and
// what happens while ClickHouse is away:
//
//	go run ./internal/benchmark/e2ebench [-short] [-parts ceiling,search,away] [-rate N] [-away 10m] [-dir DIR]
//
// It prints what it does in lines for people, and at the end a line for each result:
// bench NAME VALUE. docs/benchmarks.md says how everything is measured. It needs Linux
// and the files of `make setup`, is run from the root of the repository, and sends over
// the loopback interface alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"tapwatch/storage/embedded"
)

// The first argument of the processes that it starts of this program.
const (
	commandTapwatch = "tapwatch"
	commandSend     = "send"
)

func main() {
	embedded.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "e2ebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == commandTapwatch {
		return serve(ctx, args[1:], os.Stdin)
	}
	if len(args) > 0 && args[0] == commandSend {
		return send(ctx, args[1:], os.Stdin, out)
	}
	o, err := readOptions(args)
	if err != nil {
		return err
	}
	return measureAll(ctx, o, out)
}
