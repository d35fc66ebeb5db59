package native

import (
	"encoding/binary"

	"github.com/ClickHouse/ch-go/proto"
)

// Block is a table of at least one record in wire form. The zero Block is empty and
// ready for Read. It owns nothing: it is good as long as the memory that it was made
// of stays as it is.
type Block struct {
	rows    int
	columns []column
}

// column is one column in wire form. Its bytes are head, then body.
type column struct {
	name, typ  string
	head, body []byte
}

// Rows is the number of records.
func (b *Block) Rows() int { return b.rows }

// Columns are the names of the columns that the block has.
func (b *Block) Columns() []string {
	names := make([]string, len(b.columns))
	for i := range b.columns {
		names[i] = b.columns[i].name
	}
	return names
}

// Size is how many bytes Append appends.
func (b *Block) Size() int {
	n := 2 * binary.MaxVarintLen64
	for i := range b.columns {
		c := &b.columns[i]
		n += 2*binary.MaxVarintLen32 + len(c.name) + len(c.typ) + len(c.head) + len(c.body)
	}
	return n
}

// Append appends the block in FORMAT Native, uncompressed, and returns the extended
// slice. It holds no checksum: whoever stores it adds one.
func (b *Block) Append(dst []byte) []byte {
	dst = b.appendStart(dst)
	for i := range b.columns {
		c := &b.columns[i]
		dst = c.appendStart(dst, fileRevision)
		dst = append(dst, c.head...)
		dst = append(dst, c.body...)
	}
	return dst
}

// fileRevision is the protocol revision of FORMAT Native in files, whatever wrote it.
const fileRevision = 0

func (b *Block) appendStart(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b.columns)))
	return binary.AppendUvarint(dst, uint64(b.rows))
}

// appendStart appends what comes before the values of a column at the revision of the
// protocol.
func (c *column) appendStart(dst []byte, revision int) []byte {
	dst = appendText(dst, c.name)
	dst = appendText(dst, c.typ)
	if proto.FeatureCustomSerialization.In(revision) {
		dst = append(dst, 0) // the type's own serialization
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
