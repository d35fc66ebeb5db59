package main

import (
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/app"
)

// TestRingCanBeSentAgain decodes a ring twice, as if it came an hour later: every record
// is there, of every router, with flows that were just before, and no gap is seen.
func TestRingCanBeSentAgain(t *testing.T) {
	r, err := newRing(5000, 200)
	if err != nil {
		t.Fatal(err)
	}
	if r.records != 5000 || len(r.routers) != routersOf {
		t.Errorf("%d records of %d routers", r.records, len(r.routers))
	}
	decoders, _, err := app.Stages(app.DefaultConfig(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	decoder, sequences := decoders(), make([]uint32, len(r.routers))
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	exporters := map[[16]byte]bool{}
	for range 2 {
		var b flow.Batch
		for i := range r.datagrams {
			d := &r.datagrams[i]
			if len(d.payload) > datagramBytes {
				t.Fatalf("a datagram of %d bytes", len(d.payload))
			}
			d.stamp(sequences, now)
			decoder.Datagram(&b, r.from(d.router), now, d.payload)
		}
		if b.Len() != r.records {
			t.Fatalf("%d of %d records", b.Len(), r.records)
		}
		for i := range b.Len() {
			exporters[b.Exporter[i]] = true
			if age := now.UnixMilli() - b.EndAt[i]; age < 0 || age > 60_000 || b.StartAt[i] > b.EndAt[i] {
				t.Fatalf("record %d ended %d ms before it was sent, and began at %d", i, age, b.StartAt[i])
			}
			if b.SamplingInterval[i] == 0 {
				t.Fatalf("record %d is of an unknown sampling interval", i)
			}
		}
		now = now.Add(time.Hour)
	}
	if len(exporters) != routersOf {
		t.Errorf("%d exporters", len(exporters))
	}
	if total := decoder.Total(); total.LostDatagrams+total.LostRecords+total.LateDatagrams+total.Restarts > 0 {
		t.Errorf("sequence numbers do not follow one another: %+v", total)
	}
}

func TestSendsToThisMachineAlone(t *testing.T) {
	if err := send(t.Context(), []string{"-to", "192.0.2.1:2055"}, strings.NewReader(""), io.Discard); err == nil {
		t.Error("it would send to other machines")
	}
}

// TestSenderKeepsItsRate sends to a socket that nobody reads.
func TestSenderKeepsItsRate(t *testing.T) {
	s, err := newSender(netip.MustParseAddrPort(quiet(t)), 2000, 200)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	const rate, due = 20_000, 2000
	done, err := s.run(t.Context(), rate, due*time.Second/rate)
	if err != nil {
		t.Fatal(err)
	}
	// The last datagram may bring more than was due; a busy machine may send less.
	if done.Records == 0 || done.Records > due+30 {
		t.Errorf("sent %d records, %d were due", done.Records, due)
	}
}
