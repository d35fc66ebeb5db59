package spool

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

const benchRecords = 500

// somePayload is as large and as compressible as 500 flow records of one router: 74
// columns one after the other, most of them zero.
func somePayload() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var payload []byte
	column := func(width int, value func(row int) uint64) {
		for row := range benchRecords {
			cell := make([]byte, width)
			if value != nil {
				var full [16]byte
				binary.LittleEndian.PutUint64(full[:], value(row))
				copy(cell, full[:])
			}
			payload = append(payload, cell...)
		}
	}
	below := func(n uint64) func(int) uint64 { return func(int) uint64 { return random.Uint64N(n) } }
	constant := func(v uint64) func(int) uint64 { return func(int) uint64 { return v } }
	column(8, constant(1_770_000_000_123))                                                     // received_at
	column(8, func(int) uint64 { return 1_770_000_000_000 - random.Uint64N(60_000) })          // start_at
	column(8, func(int) uint64 { return 1_770_000_000_000 - random.Uint64N(1000) })            // end_at
	column(16, constant(0x0a0000010000ffff))                                                   // exporter
	column(16, below(1<<32))                                                                   // src_addr
	column(16, below(1<<16))                                                                   // dst_addr
	column(2, below(1<<16))                                                                    // src_port
	column(2, func(int) uint64 { return []uint64{443, 53, 80, 22, 3868}[random.IntN(5)] })     // dst_port
	column(1, func(int) uint64 { return []uint64{6, 17}[random.IntN(2)] })                     // protocol
	column(2, below(32))                                                                       // tcp_flags
	column(8, func(int) uint64 { return uint64(random.ExpFloat64() * 3000) })                  // bytes
	column(8, func(int) uint64 { return uint64(random.ExpFloat64() * 10) })                    // packets
	column(4, below(8))                                                                        // in_if
	column(4, below(8))                                                                        // out_if
	column(4, func(int) uint64 { return []uint64{3320, 15169, 13335, 64512}[random.IntN(4)] }) // src_as
	column(4, constant(64512))                                                                 // dst_as
	column(1, below(33))                                                                       // src_mask
	column(1, below(33))                                                                       // dst_mask
	column(4, constant(1000))                                                                  // sampling_interval
	for _, zero := range []struct{ columns, width int }{{2, 16}, {15, 8}, {23, 4}, {7, 2}, {8, 1}} {
		for range zero.columns {
			column(zero.width, nil)
		}
	}
	return payload
}

// BenchmarkAppend is the journal: one small write of a worker. Segments are of 200
// of them. MB/s is of uncompressed payload.
func BenchmarkAppend(b *testing.B) {
	payload := somePayload()
	for _, c := range []struct {
		compression Compression
		fsync       Fsync
	}{{LZ4, FsyncNever}, {LZ4, FsyncSegment}, {LZ4, FsyncAlways}, {ZSTD, FsyncNever}, {None, FsyncNever}} {
		b.Run(fmt.Sprintf("%s/%s", c.compression, c.fsync), func(b *testing.B) {
			s := mustOpen(b, Config{Dir: b.TempDir(), Compression: c.compression, Fsync: c.fsync})
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			var g *Segment
			n, size := 0, int64(0)
			for b.Loop() {
				if n%200 == 0 {
					g = rotate(b, s, g)
					size = -g.Bytes()
				}
				if _, err := g.Append(payload, benchRecords, 1); err != nil {
					b.Fatal(err)
				}
				n++
			}
			size += g.Bytes()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*benchRecords), "ns/record")
			b.ReportMetric(float64(size)/float64(((n-1)%200+1)*benchRecords), "disk-B/record")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkAppendParallel is that of several workers, a segment each.
func BenchmarkAppendParallel(b *testing.B) {
	payload := somePayload()
	s := mustOpen(b, Config{Dir: b.TempDir(), Fsync: FsyncNever})
	b.SetBytes(int64(len(payload)))
	b.RunParallel(func(pb *testing.PB) {
		var g *Segment
		for n := 0; pb.Next(); n++ {
			if n%200 == 0 {
				g = rotate(b, s, g)
			}
			if _, err := g.Append(payload, benchRecords, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRecords), "ns/record")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// rotate seals and removes the segment, if there is one, and begins another.
func rotate(b *testing.B, s *Spool, g *Segment) *Segment {
	if g != nil {
		mustSeal(b, g)
		if err := g.Remove(); err != nil {
			b.Fatal(err)
		}
	}
	return mustCreate(b, s, "token")
}

// BenchmarkRead is what an insert reads.
func BenchmarkRead(b *testing.B) {
	payload := somePayload()
	s := mustOpen(b, Config{Dir: b.TempDir(), Fsync: FsyncNever})
	g := mustCreate(b, s, "token")
	for range 200 {
		mustAppend(b, g, Frame{benchRecords, 1, payload})
	}
	mustSeal(b, g)
	b.SetBytes(int64(200 * len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := g.Read()
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Next()
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*200*benchRecords), "ns/record")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
