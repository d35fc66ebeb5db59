package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// What Read takes at most; more is taken for broken.
const (
	maxColumns  = 1 << 10
	maxRows     = 1 << 24
	maxNameSize = 1 << 10  // of a column
	maxTypeSize = 64 << 10 // an Enum lists its values
)

// ErrBroken is the error of bytes that are no block.
var ErrBroken = errors.New("not a block of flows in the Native format")

// Read makes b the block that data begins with, as Append wrote it or ClickHouse's
// FORMAT Native, and returns the bytes that follow it. The block aliases data. Values
// are of fixed size or LowCardinality(String).
//
// All lengths and dictionary indexes are checked, so that no bytes, however broken, make
// it panic, take memory or send what ClickHouse cannot read. The values themselves are
// not. Errors are ErrBroken, or ErrEmpty for a block without records.
func (b *Block) Read(data []byte) (rest []byte, err error) {
	*b = Block{columns: b.columns[:0]}
	c := cursor{data: data}
	columns, rows := c.number(maxColumns, "columns"), c.number(maxRows, "records")
	for i := 0; i < columns && c.err == nil; i++ {
		b.columns = append(b.columns, c.column(rows))
	}
	switch {
	case c.err != nil:
		*b = Block{columns: b.columns[:0]}
		return nil, fmt.Errorf("%w: %w at byte %d", ErrBroken, c.err, len(data)-len(c.data))
	case columns == 0 || rows == 0:
		*b = Block{columns: b.columns[:0]}
		return c.data, ErrEmpty
	}
	b.rows = rows
	return c.data, nil
}

// cursor takes values from the front of data. After an error it gives zeros.
type cursor struct {
	data []byte
	err  error
}

// column takes one column of so many values.
func (c *cursor) column(rows int) column {
	col := column{name: c.text(maxNameSize), typ: c.text(maxTypeSize)}
	if c.err != nil || rows == 0 {
		return col
	}
	size, fixed := fixedSize(col.typ)
	switch {
	case fixed:
		col.body = c.take(rows * size)
	case col.typ == lowCardinalities:
		col.head, col.body = c.lowCardinality(rows)
	default:
		c.fail(fmt.Errorf("column %.100q has type %.100q", col.name, col.typ))
	}
	return col
}

// lowCardinality takes the values of a LowCardinality(String): see dictionary.go.
func (c *cursor) lowCardinality(rows int) (head, body []byte) {
	start := c.data
	version, flags, entries := c.word(), c.word(), c.word()
	width := flags &^ lowFlags
	switch {
	case c.err != nil:
		return nil, nil
	case version != lowVersion || flags&lowFlags != lowFlags || width > lowWidth32:
		c.fail(fmt.Errorf("LowCardinality of version %d with flags %#x", version, flags))
	case entries == 0 || entries > uint64(len(c.data)):
		c.fail(fmt.Errorf("a dictionary of %d entries", entries))
	}
	for i := uint64(0); i < entries && c.err == nil; i++ {
		c.take(c.number(len(c.data), "bytes of a dictionary entry"))
	}
	if n := c.word(); c.err == nil && n != uint64(rows) {
		c.fail(fmt.Errorf("%d dictionary indexes for %d records", n, rows))
	}
	head = start[:len(start)-len(c.data)]
	body = c.take(rows << width)
	if c.err == nil && !within(body, int(width), entries) {
		c.fail(errors.New("a dictionary index beyond the dictionary"))
	}
	return head, body
}

// within tells whether all indexes, of 1<<width bytes each, are less than entries.
func within(body []byte, width int, entries uint64) bool {
	var most uint32
	switch width {
	case lowWidth8:
		if entries > 0xff {
			return true
		}
		for _, v := range body {
			most = max(most, uint32(v))
		}
	case lowWidth16:
		for ; len(body) >= 2; body = body[2:] {
			most = max(most, uint32(binary.LittleEndian.Uint16(body)))
		}
	default:
		for ; len(body) >= 4; body = body[4:] {
			most = max(most, binary.LittleEndian.Uint32(body))
		}
	}
	return uint64(most) < entries
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// number takes a variable length number that is at most most.
func (c *cursor) number(most int, of string) int {
	if c.err != nil {
		return 0
	}
	v, n := binary.Uvarint(c.data)
	switch {
	case n <= 0:
		c.fail(errShort)
		return 0
	case v > uint64(most):
		c.fail(fmt.Errorf("%d %s", v, of))
		return 0
	}
	c.data = c.data[n:]
	return int(v)
}

var errShort = errors.New("it ends too soon")

// word takes eight bytes.
func (c *cursor) word() uint64 {
	p := c.take(8)
	if len(p) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(p)
}

// text takes a string of at most most bytes, which aliases the data.
func (c *cursor) text(most int) string {
	p := c.take(c.number(most, "bytes of a name"))
	return unsafe.String(unsafe.SliceData(p), len(p))
}

func (c *cursor) take(n int) []byte {
	if c.err == nil && n > len(c.data) {
		c.fail(errShort)
	}
	if c.err != nil {
		return nil
	}
	p := c.data[:n:n]
	c.data = c.data[n:]
	return p
}
