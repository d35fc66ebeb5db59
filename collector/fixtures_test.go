package collector_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/captures"
	"tapwatch/internal/packets"
)

const fixtures = "../test/fixtures"

// TestFixtures compares what real exporters sent with what nfdump counts in it.
func TestFixtures(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(fixtures, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]packets.Report
	if err := json.Unmarshal(data, &expected); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(fixtures, "*.pcap"))
	if err != nil || len(files) != len(expected) {
		t.Fatalf("%d fixtures, %d expected: %v", len(files), len(expected), err)
	}
	for _, file := range files {
		want := expected[filepath.Base(file)]
		b, total := decodeFile(t, file)
		if got := totals(b); got != (captures.Totals{Flows: want.Flows, Bytes: want.Bytes, Packets: want.Packets}) {
			t.Errorf("%s: got %s, nfdump counts %+v", file, got, want)
		}
		if dropped := total.ByReason(); len(dropped) != 0 {
			t.Errorf("%s: dropped %v", file, dropped)
		}
		checkTimes(t, file, b)
	}
}

// checkTimes makes sure that start and end are where the traffic was made.
func checkTimes(t *testing.T, file string, b *flow.Batch) {
	t.Helper()
	// softflowd rounds the time of its header: a second more or less.
	from := packets.Defaults().Start.Add(-time.Second).UnixMilli()
	to := packets.Defaults().Start.Add(time.Minute).UnixMilli()
	for i := range b.Len() {
		if b.ExportProtocol[i] == flow.ExportSFlow5 {
			continue // does not say
		}
		if b.StartAt[i] < from || b.EndAt[i] < b.StartAt[i] || b.EndAt[i] > to {
			t.Errorf("%s: record %d from %s to %s", file, i, time.UnixMilli(b.StartAt[i]).UTC(), time.UnixMilli(b.EndAt[i]).UTC())
			return
		}
	}
}
