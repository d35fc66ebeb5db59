package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// printMachine prints what the results depend on.
func printMachine(ctx context.Context, out io.Writer) error {
	if runtime.GOOS != "linux" {
		return errors.New("it reads /proc and runs on Linux alone")
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "machine: %s, %d processors, Linux %s, %s\n", processor(), runtime.NumCPU(), kernel(), runtime.Version())
	fmt.Fprintf(out, "date: %s; load averages before the start: %s\n", time.Now().UTC().Format(time.RFC3339), firstFields(load, 3))
	fmt.Fprintf(out, "beside: goflow2 %s, %s\n", moduleVersion("github.com/netsampler/goflow2/v2"), nfcapdVersion(ctx))
	return nil
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	text, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(text))
}

func firstFields(text []byte, n int) string {
	f := bytes.Fields(text)
	return string(bytes.Join(f[:min(n, len(f))], []byte(" ")))
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

// rusageThread is RUSAGE_THREAD of getrusage(2), which package syscall leaves out.
const rusageThread = 1

// threadCPU is how long this thread has been computing. The caller must hold it with
// runtime.LockOSThread.
func threadCPU() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}

// processState gives the fields of a process from the third on (proc_pid_stat(5)):
// those after its name in parentheses, which may hold anything.
func processState(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 13 {
		return nil, fmt.Errorf("/proc/%d/stat has only %d fields", pid, len(f))
	}
	return f, nil
}

// ended says whether a child, for which nobody waited yet, has ended.
func ended(pid int) bool {
	f, err := processState(pid)
	return err != nil || f[0] == "Z"
}

// processCPU is how long a process has been computing, in user and kernel mode, to
// a hundredth of a second.
func processCPU(pid int) (time.Duration, error) {
	f, err := processState(pid)
	if err != nil {
		return 0, err
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	if err != nil {
		return 0, err
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
	return time.Duration(user+system) * tick, nil
}

// residentBytes is how much memory of this process is in RAM.
func residentBytes() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmRSS")
}

const receiveBufferFile = "/proc/sys/net/core/rmem_max"

// raiseReceiveBuffer lets programs have receive buffers of n bytes, if this process
// may say so; restore undoes it.
func raiseReceiveBuffer(n int) (restore func() error, err error) {
	nothing := func() error { return nil }
	before, err := os.ReadFile(receiveBufferFile)
	if err != nil {
		return nothing, err
	}
	granted, err := strconv.Atoi(strings.TrimSpace(string(before)))
	if err != nil || granted >= n {
		return nothing, err
	}
	if err := os.WriteFile(receiveBufferFile, []byte(strconv.Itoa(n)), 0o644); err != nil {
		return nothing, err
	}
	return func() error { return os.WriteFile(receiveBufferFile, before, 0o644) }, nil
}
