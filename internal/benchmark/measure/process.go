package measure

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

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

// Ended says whether a child, for which nobody waited yet, has ended.
func Ended(pid int) bool {
	f, err := processState(pid)
	return err != nil || f[0] == "Z"
}

// CPU is how long a process has been computing, in user and kernel mode, to a
// hundredth of a second.
func CPU(pid int) (time.Duration, error) {
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

// Resident is how much memory of a process is in RAM, in bytes.
func Resident(pid int) (int64, error) { return status(pid, "VmRSS:") }

// PeakResident is the most that Resident has been, since the start or the last
// ResetPeak.
func PeakResident(pid int) (int64, error) { return status(pid, "VmHWM:") }

// ResetPeak lets PeakResident count from now on (proc_pid_clear_refs(5)).
func ResetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// status gives the bytes that a line of /proc/PID/status tells in KiB.
func status(pid int, key string) (int64, error) {
	file := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == key {
			kib, err := strconv.ParseInt(f[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, key)
}
