package collector_test

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tapwatch/collector"
	"tapwatch/flow"
)

// v9 makes a NetFlow v9 datagram.
func v9(sets ...[]byte) []byte {
	m := append(binary.BigEndian.AppendUint16(nil, 9), make([]byte, 18)...)
	for _, s := range sets {
		m = append(m, s...)
	}
	return m
}

// words are numbers of two bytes each.
func words(all ...uint16) (b []byte) {
	for _, n := range all {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

// TestTemplatesSurviveARestart: what the routers said before a restart is enough to
// read what they send after it, whatever they speak and however many workers there
// are; nothing waits for them to say it again.
func TestTemplatesSurviveARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "collector.json")
	keep := func(workers int) func(*collector.Config) {
		return func(c *collector.Config) { c.StateFile, c.Workers = file, workers }
	}
	// A record of both: source address, bytes.
	record := []byte{192, 0, 2, 1, 0, 0, 0, 99}
	template := words(256, 2, 8, 4, 1, 4)
	routers := []struct {
		from       string
		introduces [][]byte
		data       []byte
		interval   uint32
	}{
		{"127.0.0.2", [][]byte{ipfix(7, set(2, template), samplerTemplateSet(257), samplerSet(257, 1, 1, 500))}, ipfix(7, set(256, record)), 500},
		// Options of NetFlow v9: the scope is the system, then samplingInterval (34).
		{"127.0.0.3", [][]byte{v9(set(0, template)), v9(set(1, words(257, 4, 4, 1, 4, 34, 4)), set(257, []byte{0, 0, 0, 1, 0, 0, 0, 200}))}, v9(set(256, record)), 200},
	}

	var before sink
	v := start(t, &before, keep(2))
	for _, r := range routers {
		c := dial(t, r.from, v.Addrs()[0])
		for _, payload := range r.introduces {
			send(t, c, payload)
		}
	}
	eventually(t, "the templates", func() bool { return v.metric(t, "tapwatch_collector_templates") == 4 })
	v.stop()
	if data, err := os.ReadFile(file); err != nil || strings.Count(string(data), "\n") != 4 {
		t.Fatalf("kept %q, %v", data, err)
	}

	var after sink
	v = start(t, &after, keep(5))
	eventually(t, "the templates again", func() bool { return v.metric(t, "tapwatch_collector_templates") == 4 })
	for _, r := range routers {
		send(t, dial(t, r.from, v.Addrs()[0]), r.data)
	}
	eventually(t, "the records", func() bool { return after.records() == len(routers) })
	v.stop()
	for _, r := range routers {
		row := slices.Index(after.batch.Exporter, flow.FromAddr(netip.MustParseAddr(r.from)))
		if row < 0 {
			t.Errorf("%s: no record", r.from)
			continue
		}
		if got := after.batch.SamplingInterval[row]; got != r.interval || after.batch.Bytes[row] != 99 {
			t.Errorf("%s: one of %d packets sampled, %d bytes", r.from, got, after.batch.Bytes[row])
		}
	}
	for _, h := range after.health {
		if len(h.Dropped) > 0 {
			t.Errorf("%s: dropped %v", h.Exporter, h.Dropped)
		}
	}
}
