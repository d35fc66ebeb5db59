package native_test

import (
	"errors"
	"fmt"
	"testing"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage/native"
)

// Every column of every type comes back as it was written, over the wire and from
// bytes, compressed and not.
func TestEveryColumnRoundTrips(t *testing.T) {
	b := everything(100)
	for name, compression := range map[string]native.Compression{"uncompressed": native.Uncompressed, "lz4": native.LZ4} {
		t.Run(name, func(t *testing.T) {
			s := testkit.Store(t)
			o := options(t, s)
			o.Compression = compression
			c := client(t, o)
			insert(t, c, token(), encode(t, b))
			sameAsStored(t, s, "flows", b)

			if err := s.Exec(t.Context(), "TRUNCATE TABLE flows"); err != nil {
				t.Fatal(err)
			}
			insert(t, c, token(), reread(t, encode(t, b)))
			sameAsStored(t, s, "flows", b)
		})
	}
}

// reread is the block put into bytes and read back.
func reread(t testing.TB, b *native.Block) *native.Block {
	t.Helper()
	data := b.Append(nil)
	if len(data) > b.Size() {
		t.Errorf("Size is %d, Append appends %d", b.Size(), len(data))
	}
	read := new(native.Block)
	rest, err := read.Read(data)
	if err != nil || len(rest) > 0 {
		t.Fatalf("Read of what Append wrote leaves %d bytes, error %v", len(rest), err)
	}
	return read
}

// Big blocks fill frames and the dictionary, with more than 65 536 distinct values,
// needs wide indexes.
func TestManyDistinctValues(t *testing.T) {
	const n = 70_000
	b := traffic(n)
	for i := range n {
		b.Bytes[i] = uint64(i)
		b.DstASOrg[i] = fmt.Sprintf("AS %d", i)          // 32 bits
		b.SrcASOrg[i] = fmt.Sprintf("AS %d", i%300)      // 16 bits, each a string of its own
		b.SrcZone[i] = fmt.Sprintf("zone %d", i*255/n)   // 8 bits, just so
		b.SrcAsset[i] = fmt.Sprintf("asset %d", 256*i/n) // 16 bits, just so
	}
	for name, compression := range map[string]native.Compression{"uncompressed": native.Uncompressed, "lz4": native.LZ4} {
		t.Run(name, func(t *testing.T) {
			s := testkit.Store(t)
			o := options(t, s)
			o.Compression = compression
			insert(t, client(t, o), token(), reread(t, encode(t, b)))
			sameAsStored(t, s, "flows", b, "dst_as_org", "src_as_org", "src_zone", "src_asset", "src_addr", "watched")
		})
	}
}

// Blocks of one insert may have different columns: what one lacks is zero.
func TestBlocksOfDifferentColumns(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	var bare flow.Batch
	bare.Grow(3)
	full := everything(5)
	for i := range full.Len() {
		full.Bytes[i] = uint64(1 + i)
	}
	for i := range bare.Len() {
		bare.ReceivedAt[i] = testTime.UnixMilli()
	}
	insert(t, c, token(), encode(t, &bare), encode(t, full))
	var all flow.Batch
	all.Append(&bare)
	all.Append(full)
	sameAsStored(t, s, "flows", &all)
}

// An older tapwatch wrote fewer columns, and some of other types: ClickHouse converts
// them.
func TestBlocksOfAnOlderTapwatch(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	old := new(native.Block)
	data := []byte{4, 2}
	data = column(data, "received_at", "DateTime('UTC')", []byte{0, 0, 0, 0x60, 1, 0, 0, 0x60})
	data = column(data, "export_protocol", "Enum8('unknown' = 0, 'netflow5' = 5)", []byte{5, 0})
	data = column(data, "dst_port", "UInt8", []byte{53, 80})
	data = column(data, "bytes", "UInt32", []byte{1, 0, 0, 0, 2, 0, 0, 0})
	if _, err := old.Read(data); err != nil {
		t.Fatal(err)
	}
	insert(t, c, token(), old)
	var want flow.Batch
	want.Grow(2)
	for i := range 2 {
		want.ReceivedAt[i] = (0x60000000 + int64(i)) * 1000
		want.StartAt[i], want.EndAt[i] = want.ReceivedAt[i], want.ReceivedAt[i] // no delay, no duration
		want.DstPort[i], want.Bytes[i] = []uint16{53, 80}[i], uint64(1+i)
	}
	want.ExportProtocol[0] = flow.ExportNetFlow5
	sameAsStored(t, s, "flows", &want)

	// A column that the table has no more is said by the server.
	gone := new(native.Block)
	if _, err := gone.Read(column([]byte{1, 1}, "gone", "UInt8", []byte{1})); err != nil {
		t.Fatal(err)
	}
	err := c.Insert(t.Context(), native.Insert{Table: "flows"}, native.One(gone))
	var e *native.Exception
	if !errors.As(err, &e) || e.Code != 16 {
		t.Errorf("insert of a column that is no more: %v", err)
	}
	err = c.Insert(t.Context(), native.Insert{Table: "flows"}, each(encode(t, everything(1)), gone))
	if !errors.Is(err, native.ErrColumns) {
		t.Errorf("a later block with a column of its own: %v", err)
	}
}

// column appends a column of fixed size to a block.
func column(dst []byte, name, typ string, values []byte) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	dst = append(append(dst, byte(len(typ))), typ...)
	return append(dst, values...)
}

func TestEmptyIsRefused(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	if _, err := native.NewEncoder().Encode(new(flow.Batch)); !errors.Is(err, native.ErrEmpty) {
		t.Errorf("Encode of an empty batch: %v", err)
	}
	for name, blocks := range map[string][]*native.Block{"no block": nil, "an empty block": {new(native.Block)}, "an empty second": {encode(t, everything(1)), new(native.Block)}} {
		if err := c.Insert(t.Context(), native.Insert{Table: "flows"}, each(blocks...)); !errors.Is(err, native.ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
	}
	counts(t, s, map[string]uint64{"SELECT count() FROM flows": 0})
}

// A batch of nothing but zeros is still records.
func TestZeroRecords(t *testing.T) {
	s := testkit.Store(t)
	var b flow.Batch
	b.Grow(10)
	insert(t, client(t, options(t, s)), token(), encode(t, &b))
	sameAsStored(t, s, "flows", &b)
}
