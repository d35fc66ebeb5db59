package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"

	"tapwatch/internal/app"
	"tapwatch/internal/benchmark/carrier"
)

// configuration is tapwatch's default for the simulated carrier, with its data in dir.
func configuration(dir string) (app.Config, error) { return carrier.Config(dir) }

// serve is the process tapwatch: what `tapwatch run` is, until it is told to stop or its
// input ends, as it does when the benchmark is killed.
func serve(ctx context.Context, args []string, stdin io.Reader) error {
	flags := flag.NewFlagSet(commandTapwatch, flag.ContinueOnError)
	dir := flags.String("dir", "", "folder for all data")
	listen := flags.String("listen", "", "address to receive on")
	console := flags.String("console", "", "address of the console")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	cfg, err := configuration(*dir)
	if err != nil {
		return err
	}
	cfg.Collector.Listen = []string{*listen}
	cfg.Console.Listen = *console
	a, err := app.New(cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	return a.Run(ctx)
}
