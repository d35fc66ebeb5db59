package storage_test

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tapwatch/flow"
	"tapwatch/storage"
)

// sighting is a record of a router about the asset hss-1 (10.40.1.10, core-east) and an
// address in Singapore. What is zero is as in the first record of most tests.
type sighting struct {
	at        time.Time // received_at; zero: testTime
	router    byte      // of 127.1.0.0/24
	direction int8
	sampling  uint32
	in, out   uint32 // interfaces
	outward   bool   // the asset sent it
	peer      byte   // of 45.32.114.0/24; zero: 43
	assetPort uint16 // zero: 50000
	peerPort  uint16 // zero: 443
	initiator int8
	flags     uint16 // zero: SYN, ACK and PSH
	protocol  uint8  // zero: TCP
	bytes     uint64
	packets   uint64 // zero: one for each 10 000 bytes, at least 1
	lasted    time.Duration
	unwatched bool // between strangers
}

const (
	synAckPsh = 26
	synOnly   = 2
)

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// batch is the records of the sightings.
func batch(all []sighting) *flow.Batch {
	var b flow.Batch
	b.Grow(len(all))
	for i, s := range all {
		at := or(s.at, testTime)
		b.ReceivedAt[i], b.EndAt[i] = at.UnixMilli(), at.UnixMilli()
		b.StartAt[i] = at.Add(-s.lasted).UnixMilli()
		b.Exporter[i], b.ExportProtocol[i] = flow.From4([4]byte{127, 1, 0, s.router}), flow.ExportIPFIX
		b.Direction[i], b.SamplingInterval[i], b.InIf[i], b.OutIf[i] = s.direction, s.sampling, s.in, s.out
		b.Protocol[i], b.TCPFlags[i], b.IPVersion[i] = or(s.protocol, 6), or(s.flags, synAckPsh), 4
		b.Bytes[i], b.Packets[i] = s.bytes, or(s.packets, max(1, s.bytes/10_000))
		b.Initiator[i] = s.initiator
		asset, peer := flow.From4([4]byte{10, 40, 1, 10}), flow.From4([4]byte{45, 32, 114, or(s.peer, 43)})
		assetPort, peerPort := or(s.assetPort, 50_000), or(s.peerPort, 443)
		if s.outward {
			b.SrcAddr[i], b.DstAddr[i], b.SrcPort[i], b.DstPort[i] = asset, peer, assetPort, peerPort
			b.DstCountry[i], b.DstASN[i], b.DstASOrg[i] = "SG", 20473, "The Constant Company, LLC"
		} else {
			b.SrcAddr[i], b.DstAddr[i], b.SrcPort[i], b.DstPort[i] = peer, asset, peerPort, assetPort
			b.SrcCountry[i], b.SrcASN[i], b.SrcASOrg[i] = "SG", 20473, "The Constant Company, LLC"
		}
		if s.unwatched {
			continue
		}
		b.Watched[i] = true
		if s.outward {
			b.SrcAsset[i], b.SrcZone[i], b.SrcZoneKind[i], b.SrcRole[i], b.AssetEnd[i] = "hss-1", "core-east", flow.ZoneCore, "hss", flow.AssetSrc
		} else {
			b.DstAsset[i], b.DstZone[i], b.DstZoneKind[i], b.DstRole[i], b.AssetEnd[i] = "hss-1", "core-east", flow.ZoneCore, "hss", flow.AssetDst
		}
	}
	return &b
}

// see stores each group of sightings by an insert of its own.
func see(t *testing.T, s *storage.Store, groups ...[]sighting) {
	t.Helper()
	for _, g := range groups {
		insertAll(t, s, batch(g))
	}
}

func insertAll(t *testing.T, s *storage.Store, b *flow.Batch) {
	t.Helper()
	if err := storage.InsertBatch(t.Context(), s, b, rand.Text()); err != nil {
		t.Fatal(err)
	}
}

// lines gives the rows of a query, their values with blanks between.
func lines(t *testing.T, s *storage.Store, query string, args ...any) []string {
	t.Helper()
	rows, err := s.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		values := make([]any, len(rows.Columns()))
		for i, column := range rows.ColumnTypes() {
			values[i] = reflect.New(column.ScanType()).Interface()
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		words := make([]string, len(values))
		for i, v := range values {
			words[i] = fmt.Sprint(storage.Plain(v))
		}
		all = append(all, strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}
