//go:build linux

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"tapwatch/internal/testkit"
)

// onSmallDisk gives the spool a disk of its own: 1 MB, of which a ballast of a half can be
// removed. It is mounted for this tapwatch alone, and goes with it.
func (s *setup) onSmallDisk(t *testing.T) {
	t.Helper()
	disk := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	s.wrap = func(command []string) []string {
		all := []string{"unshare", "--mount"}
		if os.Getuid() != 0 {
			all = append(all, "--map-root-user")
		}
		const script = `mount -t tmpfs -o size=1m tmpfs "$1" && head -c 500000 /dev/zero >"$1/ballast" && shift && exec "$@"`
		return append(append(all, "sh", "-c", script, "sh", disk), command...)
	}
}

// makeRoom removes the ballast from the disk, which only tapwatch sees.
func (w *tapwatch) makeRoom(t *testing.T) {
	t.Helper()
	if err := os.Remove(filepath.Join("/proc", strconv.Itoa(w.cmd.Process.Pid), "root", w.dir, "disk/ballast")); err != nil {
		t.Fatal(err)
	}
}

// TestSpoolDiskFull: ClickHouse is away, and the disk of the spool gets full. Exporters
// over TCP wait then, what UDP cannot hold is counted, and it goes on when there is room.
func TestSpoolDiskFull(t *testing.T) {
	t.Parallel()
	for _, durability := range []string{"memory", "journal"} {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			a := newAway(t)
			s := newSetup(t, a.config()+tightQueue+fmt.Sprintf("  durability: %s\n  spool: {dir: disk/spool}\n", durability))
			s.onSmallDisk(t)
			w := s.start(t)
			over := export(t, "tcp", "127.10.7.1", s.tcp, 1)
			datagrams := export(t, "udp", "127.10.7.1", s.udp, 1<<40)
			testkit.Eventually(t, "the exporter over TCP waits", over.held)
			full := w.until(t, "tapwatch answers", func(metrics) bool { return true })
			t.Logf("full with %d records received, %v of them in the spool", full.count(received), full[spooled])

			w.makeRoom(t)
			w.until(t, "more is received", func(m metrics) bool { return m[received] > full[received]+2000 })
			testkit.Eventually(t, "the exporter over TCP waits again", over.held)
			a.set(true)
			testkit.Eventually(t, "the exporter over TCP goes on", func() bool { return !over.held() })
			over.stop()
			datagrams.stop()

			m := w.idle(t)
			sent := over.sent.Load() + datagrams.sent.Load()
			t.Logf("%d records sent, %d refused", sent, m.refused())
			if m.refused() == 0 {
				t.Error("no datagram was refused: it was not full")
			}
			if m.count(received) != sent-m.refused() || m.count(decoded) != m.count(received) || m[dropped] != 0 {
				t.Errorf("%d records sent, %d refused, %d decoded, %d received, %v dropped", sent, m.refused(), m.count(decoded), m.count(received), m[dropped])
			}
			store := a.store(t)
			once(t, store, m.count(received))
			if got := holds(t, store, 1, 1<<40); got.Flows != over.sent.Load() {
				t.Errorf("%d records sent over TCP, %d stored", over.sent.Load(), got.Flows)
			}
		})
	}
}

// TestSpoolBound: ClickHouse is away for longer than the spool is big. The oldest records
// go, and are counted.
func TestSpoolBound(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	s := newSetup(t, a.config()+tightQueue+"  spool: {max_bytes: 500000}\n")
	w := s.start(t)
	e := export(t, "tcp", "127.10.8.1", s.tcp, 1)
	w.until(t, "the spool cannot hold all", func(m metrics) bool { return m[received]-m[spooled] > 20_000 })
	e.stop()
	a.set(true)
	m := w.idle(t)
	t.Logf("%d records sent, %d given up", e.sent.Load(), m.count(dropped))
	if m.count(received) != e.sent.Load() || m.count(dropped) == 0 || m.droppedFor("spool_full") != m.count(dropped) {
		t.Errorf("%d records sent, %d received, %d dropped, %d of them because the spool was full",
			e.sent.Load(), m.count(received), m.count(dropped), m.droppedFor("spool_full"))
	}
	once(t, a.store(t), m.count(received)-m.count(dropped))
}
