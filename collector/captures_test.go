package collector_test

import (
	"errors"
	"io"
	"testing"

	"tapwatch/collector"
	"tapwatch/collector/netflow"
	"tapwatch/collector/pcap"
	"tapwatch/collector/sflow"
	"tapwatch/flow"
	"tapwatch/internal/captures"
)

var protocols = []collector.Protocol{netflow.Protocol{}, sflow.Protocol{}}

// TestCaptures decodes every shared capture and compares with what independent
// decoders count.
func TestCaptures(t *testing.T) {
	index := captures.Index(t)
	for _, c := range index {
		b, total := decodeFile(t, c.Path)
		if err := c.Check(totals(b)); err != nil {
			t.Errorf("%v (dropped %v)", err, total.ByReason())
		}
		if c.Options >= 0 && total.OptionsRecords != uint64(c.Options) {
			t.Errorf("%s: %d options records, want %d", c.Name, total.OptionsRecords, c.Options)
		}
	}
	if len(index) > 0 {
		t.Logf("%d of %d captures agree with index.csv", len(index)-len(captures.Disagreements), len(index))
	}
}

// TestLabelled does the same for the replays of labelled intrusions.
func TestLabelled(t *testing.T) {
	for _, c := range captures.Labelled(t) {
		b, total := decodeFile(t, c.Path)
		if err := c.Check(totals(b)); err != nil {
			t.Errorf("%v (dropped %v)", err, total.ByReason())
		}
	}
}

// decodeFile decodes a capture of exports.
func decodeFile(t testing.TB, path string) (*flow.Batch, collector.Tally) {
	t.Helper()
	d := collector.NewDecoder(collector.DefaultConfig(), protocols, nil)
	b := new(flow.Batch)
	for _, g := range datagrams(t, path) {
		d.Datagram(b, g.From, g.Time, g.Payload)
	}
	return b, d.Total()
}

// datagrams reads a capture.
func datagrams(t testing.TB, path string) []pcap.Datagram {
	t.Helper()
	f, err := pcap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []pcap.Datagram
	for {
		g, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
}

func totals(b *flow.Batch) captures.Totals {
	got := captures.Totals{Flows: uint64(b.Len())}
	for i := range b.Len() {
		got.Bytes += b.Bytes[i]
		got.Packets += b.Packets[i]
	}
	return got
}
