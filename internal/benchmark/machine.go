package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tapwatch/internal/benchmark/measure"
)

// printMachine prints what the results depend on.
func printMachine(ctx context.Context, out io.Writer) error {
	if err := measure.PrintMachine(out); err != nil {
		return err
	}
	fmt.Fprintf(out, "beside: goflow2 %s, %s\n", moduleVersion("github.com/netsampler/goflow2/v2"), nfcapdVersion(ctx))
	return nil
}

func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "of an unknown version"
}

func nfcapdVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "nfcapd", "-V").CombinedOutput()
	if err != nil {
		return "no nfcapd"
	}
	return strings.TrimSpace(string(out))
}

// threadCPU is how long this thread has been computing. The caller must hold it with
// runtime.LockOSThread.
func threadCPU() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}

// residentBytes is how much memory of this process is in RAM.
func residentBytes() (int64, error) { return measure.Resident(os.Getpid()) }
