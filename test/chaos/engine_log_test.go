//go:build linux

package chaos

import (
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEngineKilledAtTheLog kills the engine the moment it has written the token of an
// insert to a table's log of inserts: then the part may not be in the table yet, and the
// log alone would take the repeated insert for stored.
func TestEngineKilledAtTheLog(t *testing.T) {
	t.Parallel()
	killEngines(t, "127.10.2.1", killAtLog)
}

// killAtLog kills the engine when it has written to the logs of its tables a few times.
func killAtLog(t *testing.T, s *setup, pid int) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(s.dataDir(), "clickhouse/store/*/*/deduplication_logs"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs of inserts (error %v)", err)
	}
	watch, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	for _, log := range logs {
		if _, err := unix.InotifyAddWatch(watch, log, unix.IN_MODIFY); err != nil {
			t.Fatal(err)
		}
	}
	events := make([]byte, 4096)
	for left := rand.IntN(2 * len(logs)); ; left-- {
		switch n, err := unix.Poll([]unix.PollFd{{Fd: int32(watch), Events: unix.POLLIN}}, int(patience.Milliseconds())); {
		case n == 0:
			t.Fatal("the engine writes to no log of inserts")
		case n < 0 && err != unix.EINTR:
			t.Fatal(err)
		}
		if left <= 0 {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return
		}
		_, _ = unix.Read(watch, events) // makes room for the next
	}
}
