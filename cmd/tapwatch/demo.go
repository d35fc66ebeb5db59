package main

import (
	"context"
	"os"
	"path/filepath"

	"tapwatch/internal/app"
)

type demoCommand struct {
	Dir       string `help:"Where the demo keeps its configuration and data." default:"data/demo" type:"path" placeholder:"DIR"`
	Console   string `help:"Where the NOC page listens." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Collector string `help:"Where the collector listens (UDP)." default:"127.0.0.1:2055" placeholder:"HOST:PORT"`
	Geo       string `help:"Folder with country.mmdb and asn.mmdb; without one, build/geo beside the program's folder." placeholder:"DIR"`
	Seed      uint64 `help:"Another seed is another simulation." default:"1"`
}

// Help shows an example.
func (demoCommand) Help() string {
	return `Starts the ClickHouse engine, the collector, the detectors, the NOC page and a simulated carrier network in which an
intrusion toward the wiretap site unfolds. Ctrl-C ends everything; a later start goes on with the data.

Example:

  tapwatch demo`
}

// Run shows the demo until ctx ends.
func (c *demoCommand) Run(ctx context.Context, env *environment) error {
	options := app.DemoOptions{
		Dir: relative(c.Dir), Console: c.Console, Collector: c.Collector, Geo: c.Geo, Seed: c.Seed, Program: programName(),
	}
	if options.Geo == "" {
		options.Geo = defaultGeo()
	}
	return app.Demo(ctx, options, env.out, env.logger)
}

// defaultGeo is where `make setup` puts the databases, seen from the program in bin.
func defaultGeo() string {
	const below = "build/geo"
	if program, err := os.Executable(); err == nil {
		if dir := filepath.Join(filepath.Dir(program), "..", below); isDir(dir) {
			return dir
		}
	}
	return below
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// programName is what a person types to call this program.
func programName() string { return relative(os.Args[0]) }

// relative shortens a path to one from the working directory, where it lies below.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if short, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
