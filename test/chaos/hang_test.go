//go:build linux

package chaos

import (
	"syscall"
	"testing"
)

// TestEngineHangs stops the engine in the middle of inserts for longer than an insert may
// take, and lets it go on: the insert that it still had and the repeated one are one.
func TestEngineHangs(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "  batch: {records: 3000, interval: 50ms, queue_records: 200000, timeout: 1s}\n")
	w := s.start(t)
	e := export(t, "tcp", "127.10.4.1", s.tcp, 1)
	for range 2 {
		pid := w.storing(t)
		before := w.until(t, "tapwatch answers", func(metrics) bool { return true })
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		w.until(t, "an insert took too long and was tried again", func(m metrics) bool { return m[retries] > before[retries]+1 })
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	e.stop()
	m := w.idle(t)
	t.Logf("%v inserts tried again", m[retries])
	if m.count(received) != e.sent.Load() || m[dropped] != 0 || m[restarts] != 0 {
		t.Errorf("%d records sent, %d received, %v dropped, engine restarted %v times", e.sent.Load(), m.count(received), m[dropped], m[restarts])
	}
	once(t, s.open(t), e.sent.Load())
}
