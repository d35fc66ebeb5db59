package collector

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"tapwatch/flow"
)

// exportersOf gives whose rows they are.
func exportersOf(rows []flow.Health) []netip.Addr {
	var all []netip.Addr
	for _, h := range rows {
		all = append(all, h.Exporter)
	}
	return all
}

// TestSpoofedHealth: addresses that sent a byte of nonsense each do not make a row
// each, in neither mode; what they did is counted all the same, and the router that
// sends most nonsense is still named, as is each listed one.
func TestSpoofedHealth(t *testing.T) {
	for mode, reasons := range map[string][]string{
		ExportersAny:    {"unknown_version"},
		ExportersListed: {"refused", "unknown_version"},
	} {
		d := newStubDecoder(4096, mode, listOf{addr(1): 0})
		var b flow.Batch
		send := func(n int) { d.Datagram(&b, port(addr(n)), start, []byte("x")) }
		send(1) // listed
		for n := range 1000 {
			send(100 + n)
		}
		send(2)
		send(2)
		rows := d.Health(start.Add(time.Minute))
		if len(rows) != 1+maxSuspects+1 {
			t.Errorf("%s: %d rows", mode, len(rows))
		}
		named := exportersOf(rows)
		if !slices.Contains(named, addr(1)) || !slices.Contains(named, addr(2)) || !slices.Contains(named, netip.IPv6Unspecified()) {
			t.Errorf("%s: rows of %v", mode, named)
		}
		datagrams, dropped := uint64(0), uint64(0)
		for _, h := range rows {
			datagrams += h.Datagrams
		}
		for _, r := range reasons {
			dropped += sumDropped(rows, r)
		}
		if datagrams != 1003 || dropped != 1003 {
			t.Errorf("%s: %d datagrams counted, %d dropped", mode, datagrams, dropped)
		}
	}
}

// TestSuspectsOfSeveralWorkers: the rows of all workers are bounded together.
func TestSuspectsOfSeveralWorkers(t *testing.T) {
	var rows, suspects []flow.Health
	for worker := range 4 {
		d := newStubDecoder(100, ExportersAny, nil)
		var b flow.Batch
		for n := range 50 {
			for range n + 1 {
				d.Datagram(&b, port(addr(worker*100+n)), start, []byte("x"))
			}
		}
		some, doubtful := d.health(start)
		rows, suspects = append(rows, some...), append(suspects, doubtful...)
	}
	all := fold(rows, suspects)
	if len(all) != maxSuspects+1 {
		t.Fatalf("rows of %v", exportersOf(all))
	}
	for _, h := range all[:maxSuspects] {
		if h.Datagrams < 47 || !h.LastReceivedAt.Equal(start) {
			t.Errorf("%s sent %d, others more", h.Exporter, h.Datagrams)
		}
	}
	if rest := all[maxSuspects]; rest.Exporter != netip.IPv6Unspecified() || rest.Datagrams != 4*46*47/2 || !rest.LastReceivedAt.IsZero() {
		t.Errorf("the rest: %+v", rest)
	}
}
