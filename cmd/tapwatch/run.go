package main

import (
	"context"
	"maps"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"syscall"

	"tapwatch/internal/app"
)

type runCommand struct{}

// Help shows an example.
func (runCommand) Help() string {
	return `Receives flow exports, stores them, detects and serves the NOC page, until it gets SIGINT or SIGTERM; then what was
received is stored before it ends. SIGHUP reloads the inventory, the intelligence lists and the geography databases.

Example:

  tapwatch --config tapwatch.yaml run`
}

// Run works until ctx ends.
func (runCommand) Run(ctx context.Context, env *environment) error {
	cfg, err := env.load()
	if err != nil {
		return err
	}
	a, err := app.New(cfg, env.logger)
	if err != nil {
		return misuse{err}
	}
	a.OnReady = func(at app.Addresses) {
		env.logger.Info("tapwatch runs", runsAt(at)...)
	}
	stop := reloadOnHangup(ctx, a, cfg, env)
	err = a.Run(ctx)
	stop()
	if err == nil {
		env.logger.Info("stopped")
	}
	return err
}

// runsAt is what the log says of where tapwatch listens.
func runsAt(at app.Addresses) []any {
	all := []any{"collector", at.Collector}
	for _, transport := range slices.Sorted(maps.Keys(at.Streams)) {
		all = append(all, transport, at.Streams[transport])
	}
	return append(all, "console", "http://"+at.Console.String()+"/", "version", version)
}

// reloadOnHangup reloads a's files on every SIGHUP until ctx ends or the
// returned function is called.
func reloadOnHangup(ctx context.Context, a *app.App, cfg app.Config, env *environment) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hangups {
			if ctx.Err() != nil {
				continue // to read them now would only hold up the end
			}
			if err := a.Reload(); err != nil {
				env.logger.Error("reload failed", "error", err)
			}
			switch now, err := env.load(); {
			case err != nil:
				env.logger.Error("the configuration has mistakes: the one of the start stays in force", "error", err)
			case !reflect.DeepEqual(now, cfg):
				env.logger.Warn("the configuration has changed: a restart puts it in force; a reload reads the inventory, the lists and the databases alone")
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}
