package netflow_test

import (
	"testing"
	"time"
)

// TestUptimeWrapsIPFIX: the router has run for longer than its uptime can say (2^32
// ms); its start is told in the record, or in options data before it.
func TestUptimeWrapsIPFIX(t *testing.T) {
	const wrap = time.Duration(1<<32) * time.Millisecond
	uptime := func(d time.Duration) []byte { return u32(uint32(d.Milliseconds())) }
	for name, up := range map[string]time.Duration{
		"not yet":                  time.Hour,
		"just about to":            wrap - time.Second,
		"in the flow":              wrap + 45*time.Second,
		"once":                     wrap + 20*24*time.Hour,
		"once, half way":           wrap + wrap/2,
		"eleven times":             11*wrap + time.Hour,
		"starts after it exported": -100 * 24 * time.Hour, // by a clock that is wrong
	} {
		init := u64(uint64(exportedAt.Add(-up).UnixMilli()))
		from, to := max(0, up-60*time.Second), max(0, up-30*time.Second)
		times := []field{f(22, uptime(from)...), f(21, uptime(to)...)}
		inRecord := newExporter()
		inRecord.send(ipfix(7, sets(2, append(times, f(160, init...)))...))
		inOptions := newExporter()
		inOptions.send(ipfix(7, set(3, words(300, 2, 1, 149, 4, 160, 8)...), set(300, append(u32(7), init...)...)))
		inOptions.send(ipfix(7, sets(2, times)...))
		for where, e := range map[string]*exporter{"record": inRecord, "options data": inOptions} {
			if e.batch.Len() != 1 {
				t.Fatalf("%s, start in %s: %d records, dropped %v", name, where, e.batch.Len(), e.tally.ByReason())
			}
			start, end := time.UnixMilli(e.batch.StartAt[0]), time.UnixMilli(e.batch.EndAt[0])
			if !start.Equal(exportedAt.Add(from-up)) || !end.Equal(exportedAt.Add(to-up)) {
				t.Errorf("%s, start in %s: from %s to %s", name, where, start.UTC(), end.UTC())
			}
		}
	}
}
