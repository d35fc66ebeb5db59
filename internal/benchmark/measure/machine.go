package measure

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// PrintMachine prints what the results depend on.
func PrintMachine(out io.Writer) error {
	if runtime.GOOS != "linux" {
		return errors.New("it reads /proc and runs on Linux alone")
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "machine: %s, %d processors, Linux %s, %s\n", processor(), runtime.NumCPU(), kernel(), runtime.Version())
	fmt.Fprintf(out, "date: %s; load averages before the start: %s\n", time.Now().UTC().Format(time.RFC3339), firstFields(load, 3))
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

// ReceiveBufferFile holds the largest receive buffer that the kernel grants.
const ReceiveBufferFile = "/proc/sys/net/core/rmem_max"

// RaiseReceiveBuffer lets programs have receive buffers of n bytes, if this process
// may say so; restore undoes it.
func RaiseReceiveBuffer(n int) (restore func() error, err error) {
	nothing := func() error { return nil }
	before, err := os.ReadFile(ReceiveBufferFile)
	if err != nil {
		return nothing, err
	}
	granted, err := strconv.Atoi(strings.TrimSpace(string(before)))
	if err != nil || granted >= n {
		return nothing, err
	}
	if err := os.WriteFile(ReceiveBufferFile, []byte(strconv.Itoa(n)), 0o644); err != nil {
		return nothing, err
	}
	return func() error { return os.WriteFile(ReceiveBufferFile, before, 0o644) }, nil
}
