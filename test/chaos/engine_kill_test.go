//go:build linux

package chaos

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"tapwatch/internal/testkit"
)

// smallInserts makes an insert every 50 ms, so that one is under way at nearly any moment.
const smallInserts = "  batch: {records: 3000, interval: 50ms, queue_records: 200000}\n"

// killsInARow is how often an engine is killed before tapwatch is started anew: the pause
// before an engine is started again grows from kill to kill.
const killsInARow = 7

// killEngines runs tapwatch, while exporters send over TCP and UDP, through as many kills
// of its engine as the flag says, and counts. Kill is to kill the engine, which is storing.
func killEngines(t *testing.T, from string, kill func(t *testing.T, s *setup, pid int)) {
	t.Helper()
	s := newSetup(t, smallInserts)
	total := uint64(0)
	for done := 0; done < *kills; {
		w := s.start(t)
		over := export(t, "tcp", from, s.tcp, 1+uint64(done)<<32)
		datagrams := export(t, "udp", from, s.udp, 1<<48+uint64(done)<<32)
		before := done
		for range min(killsInARow, *kills-done) {
			done++
			pid := w.storing(t)
			kill(t, s, pid)
			t.Logf("kill %d of %d: engine %d", done, *kills, pid)
		}
		over.stop()
		datagrams.stop()
		m := w.idle(t)
		t.Logf("engine started again %v times, %v inserts tried again", m[restarts], m[retries])
		if m.count(restarts) < uint64(done-before) {
			t.Errorf("the engine was started again %v times after %d kills", m[restarts], done-before)
		}
		if sent := over.sent.Load() + datagrams.sent.Load(); m.count(received) != sent-m.refused() || m.count(decoded) != m.count(received) || m[dropped] != 0 {
			t.Errorf("%d records sent, %d refused, %d decoded, %d received, %v dropped", sent, m.refused(), m.count(decoded), m.count(received), m[dropped])
		}
		total += m.count(received)
		once(t, s.open(t), total)
		w.stop(t)
	}
}

// TestEngineKilled kills the engine in the middle of inserts, again and again, while
// tapwatch runs on.
func TestEngineKilled(t *testing.T) {
	t.Parallel()
	killEngines(t, "127.10.1.1", func(t *testing.T, _ *setup, pid int) {
		// No wait for something to come true: the moment is what the test varies.
		<-time.After(time.Duration(rand.IntN(100)) * time.Millisecond)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	})
}

// storing waits until the engine stores records again, and gives its process.
func (w *tapwatch) storing(t *testing.T) (pid int) {
	t.Helper()
	before := w.until(t, "tapwatch answers", func(metrics) bool { return true })
	w.until(t, "records are stored", func(m metrics) bool { return m[stored] > before[stored]+2000 })
	testkit.Eventually(t, "an engine runs", func() bool { pid = w.engine(); return pid != 0 })
	return pid
}
