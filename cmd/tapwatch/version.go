package main

import (
	"fmt"
	"runtime"
)

type versionCommand struct{}

// Help shows an example.
func (versionCommand) Help() string { return "Example:\n\n  tapwatch version" }

// Run prints the version of tapwatch and of Go.
func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintf(env.out, "tapwatch %s (%s %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
