//go:build linux

package chaos

import "testing"

// tightQueue lets few records wait in memory.
const tightQueue = "  batch: {records: 2000, interval: 50ms, queue_records: 8000}\n"

// TestClickHouseAwayAtStart: tapwatch collects from its first moment, and stores it all
// when ClickHouse comes; here the records do not even fit into memory.
func TestClickHouseAwayAtStart(t *testing.T) {
	t.Parallel()
	a := newAway(t)
	s := newSetup(t, a.config()+tightQueue)
	w := s.start(t)
	e := export(t, "tcp", "127.10.6.1", s.tcp, 1)
	w.until(t, "more records than fit into memory are received", func(m metrics) bool {
		return m[received] > 12_000 && m[spooled] > 4_000
	})
	a.set(true)
	w.until(t, "records are stored", func(m metrics) bool { return m[stored] > 4_000 })
	e.stop()
	m := w.idle(t)
	if m.count(received) != e.sent.Load() || m.count(decoded) != e.sent.Load() || m[dropped] != 0 {
		t.Errorf("%d records sent, %d decoded, %d received, %v dropped", e.sent.Load(), m.count(decoded), m.count(received), m[dropped])
	}
	once(t, a.store(t), e.sent.Load())
}
