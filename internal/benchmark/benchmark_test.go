package main

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/internal/app"
)

// plain makes a contender without files.
func plain(t *testing.T) *tapwatch {
	t.Helper()
	decoder, _, err := app.Stages(app.DefaultConfig(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return newTapwatch(decoder(), nil)
}

// TestContendersFindEveryRecord passes each ring twice through both decoders.
func TestContendersFindEveryRecord(t *testing.T) {
	for name, r := range map[string]*ring{"v9": ringV9(false), "v9 random": ringV9(true), "ipfix": ringIPFIX()} {
		ours := plain(t)
		for who, c := range map[string]contender{"tapwatch": ours, "goflow2": newGoflow2()} {
			for range 2 {
				r.redraw()
				if n, err := c.pass(r); err != nil || n != r.records {
					t.Errorf("%s: %s found %d of %d records (%v)", name, who, n, r.records, err)
				}
			}
		}
		total := ours.decoder.Total()
		if total.LostDatagrams+total.LostRecords+total.LateDatagrams+total.Restarts > 0 {
			t.Errorf("%s: sequence numbers do not follow one another: %+v", name, total)
		}
	}
}

// TestRecordsAreWhatWasDrawn decodes the first datagrams and compares them.
func TestRecordsAreWhatWasDrawn(t *testing.T) {
	for name, r := range map[string]*ring{"v9": ringV9(false), "ipfix": ringIPFIX()} {
		drawn := newTraffic(1, r.traffic.now, false)
		d := plain(t).decoder
		var b flow.Batch
		for i := range 16 {
			d.Datagram(&b, r.datagrams[i].from, time.Now(), r.datagrams[i].payload)
		}
		for i := range b.Len() {
			want := drawn.record()
			got := record{
				src: address(b.SrcAddr[i]), dst: address(b.DstAddr[i]), nextHop: address(b.NextHop[i]),
				srcPort: b.SrcPort[i], dstPort: b.DstPort[i], protocol: b.Protocol[i], tos: b.TOS[i],
				tcpFlags: uint8(b.TCPFlags[i]), bytes: uint32(b.Bytes[i]), packets: uint32(b.Packets[i]),
				start: b.StartAt[i], end: b.EndAt[i], inIf: uint16(b.InIf[i]), outIf: uint16(b.OutIf[i]),
				srcAS: b.SrcAS[i], dstAS: b.DstAS[i], srcMask: b.SrcMask[i], dstMask: b.DstMask[i],
				direction: uint8(b.Direction[i]) - 1,
			}
			if name == "v9" { // its times count from whole seconds
				got.start, got.end = want.start, want.end
			}
			if got != *want {
				t.Fatalf("%s: record %d\n got %+v\nwant %+v", name, i, got, *want)
			}
		}
	}
}

func address(a [16]byte) uint32 {
	b := flow.Addr(a).As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// TestPopulation holds what docs/benchmarks.md says of the realistic addresses.
func TestPopulation(t *testing.T) {
	traffic := newTraffic(1, 0, false)
	first, thousand := 0, 0
	const draws = 200_000
	for range draws {
		switch k := traffic.zipf.Uint64(); {
		case k == 0:
			first++
			fallthrough
		case k < 1000:
			thousand++
		}
	}
	if p := 100 * float64(first) / draws; p < 0.7 || p > 1.1 {
		t.Errorf("the first host has %.2f %% of the records", p)
	}
	if p := 100 * float64(thousand) / draws; p < 57 || p > 63 {
		t.Errorf("the first thousand hosts have %.1f %% of the records", p)
	}
	for range draws {
		a := traffic.public()
		addr := netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
		if !addr.IsGlobalUnicast() || addr.IsPrivate() || netip.MustParsePrefix("100.64.0.0/10").Contains(addr) {
			t.Fatalf("%s is not of the public internet", addr)
		}
	}
}

// TestSenderKeepsItsRate sends for a moment to a socket that counts.
func TestSenderKeepsItsRate(t *testing.T) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := newSender(c.LocalAddr().(*net.UDPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	// What is sent fits any receive buffer; a busy machine may send less.
	const rate, due = 24_000, 1200
	result, err := s.run(t.Context(), rate, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if n := result.Records; n == 0 || n > due+recordsV9 {
		t.Errorf("sent %d records, at most %d were due", n, due)
	}
	sources := map[netip.Addr]bool{}
	buffer := make([]byte, 1<<16)
	for got := uint64(0); got < result.Records; got += recordsV9 {
		if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, from, err := c.ReadFromUDPAddrPort(buffer)
		if err != nil {
			t.Fatalf("after %d of %d records: %v", got, result.Records, err)
		}
		if n > 1472 {
			t.Errorf("a datagram of %d bytes fits no Ethernet frame", n)
		}
		sources[from.Addr().Unmap()] = true
	}
	if result.Records >= ringExporters*recordsV9 && len(sources) != ringExporters {
		t.Errorf("%d addresses sent, want %d", len(sources), ringExporters)
	}
	if err := send(t.Context(), []string{"-to", "192.0.2.1:2055"}, io.Discard); err == nil {
		t.Error("it would send to other machines")
	}
}
