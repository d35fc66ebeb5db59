package native

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Joiner makes one Block of several: ClickHouse knows an insert again by its token and
// the numbers of its blocks, so records that were sent as one block, perhaps, must be
// sent as one again. The zero Joiner is ready for Add. Not safe for concurrent use.
type Joiner struct {
	rows    int
	columns []*joining // in the order in which they first came
	byName  map[string]*joining
}

// joining is a column of the blocks so far.
type joining struct {
	name, typ string
	rows      int    // less than the Joiner's where the latest blocks lack the column
	size      int    // of a value in bytes; 0: texts has them
	body      []byte // values of fixed size
	texts     *joiningTexts
}

// Add adds the records of b, which it copies. A column that a block does not have is
// zero in its records, as ClickHouse would fill it in. After an error the Joiner is of
// no more use.
func (j *Joiner) Add(b *Block) error {
	rows := j.rows + b.rows
	for i := range b.columns {
		c := &b.columns[i]
		into, err := j.column(c)
		switch {
		case err != nil:
			return err
		case into.rows > j.rows:
			return fmt.Errorf("join blocks: column %.100q is twice in a block", c.name)
		}
		into.pad(j.rows)
		into.add(c, rows)
	}
	j.rows = rows
	return nil
}

// Block gives all records in one block. It is good until the next Add. Without records
// it is refused with ErrEmpty.
func (j *Joiner) Block() (*Block, error) {
	if j.rows == 0 {
		return nil, ErrEmpty
	}
	b := &Block{rows: j.rows, columns: make([]column, len(j.columns))}
	for i, from := range j.columns {
		from.pad(j.rows)
		b.columns[i] = from.column()
	}
	return b, nil
}

// column is where the values of c go.
func (j *Joiner) column(c *column) (*joining, error) {
	if into := j.byName[c.name]; into != nil {
		if into.typ != c.typ {
			return nil, fmt.Errorf("join blocks: column %.100q is %.100q in one and %.100q in another", c.name, into.typ, c.typ)
		}
		return into, nil
	}
	// The names of a block alias what it was read from.
	into := &joining{name: strings.Clone(c.name), typ: strings.Clone(c.typ)}
	if into.typ == lowCardinalities {
		into.texts = newJoiningTexts()
	} else {
		into.size, _ = fixedSize(into.typ)
	}
	if j.byName == nil {
		j.byName = map[string]*joining{}
	}
	j.byName[into.name] = into
	j.columns = append(j.columns, into)
	return into, nil
}

// add adds the values of c, up to so many in all.
func (into *joining) add(c *column, rows int) {
	if into.texts != nil {
		into.texts.add(c, rows-into.rows)
	} else {
		into.body = append(into.body, c.body...)
	}
	into.rows = rows
}

// pad adds zeros up to so many values.
func (into *joining) pad(rows int) {
	missing := rows - into.rows
	if into.texts != nil {
		into.texts.keys = append(into.texts.keys, make([]uint32, missing)...)
	} else {
		into.body = append(into.body, make([]byte, missing*into.size)...)
	}
	into.rows = rows
}

func (into *joining) column() column {
	c := column{name: into.name, typ: into.typ, body: into.body}
	if into.texts != nil {
		c.head, c.body = into.texts.encode()
	}
	return c
}

// joiningTexts is the dictionary of all blocks so far, and its indexes. Its first entry
// is the empty string.
type joiningTexts struct {
	entries []byte // as they go into the head
	indexes map[string]uint32
	keys    []uint32
	moved   []uint32 // for the block at hand: the new index of each of its entries
}

func newJoiningTexts() *joiningTexts {
	return &joiningTexts{entries: []byte{0}, indexes: map[string]uint32{"": 0}}
}

func (t *joiningTexts) add(c *column, rows int) {
	t.moved = t.moved[:0]
	for text := range c.entries() {
		t.moved = append(t.moved, t.index(text))
	}
	from := len(t.keys)
	t.keys = append(t.keys, make([]uint32, rows)...)
	pick(t.keys[from:], c, t.moved)
}

// index gives the index of text, and adds it if it is new.
func (t *joiningTexts) index(text []byte) uint32 {
	index, known := t.indexes[string(text)]
	if !known {
		index = uint32(len(t.indexes))
		kept := string(text)
		t.indexes[kept] = index
		t.entries = appendText(t.entries, kept)
	}
	return index
}

// encode gives the wire form, with the least width that holds the indexes. Blocks in
// memory do not have so many entries that 32 bits would not do.
func (t *joiningTexts) encode() (head, body []byte) {
	width := uint64(lowWidth8)
	switch count := len(t.indexes); {
	case count > 1<<16:
		width = lowWidth32
	case count > 1<<8:
		width = lowWidth16
	}
	head = binary.LittleEndian.AppendUint64(make([]byte, 0, lowHead+len(t.entries)+8), lowVersion)
	head = binary.LittleEndian.AppendUint64(head, lowFlags|width)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(t.indexes)))
	head = append(head, t.entries...)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(t.keys)))
	body = make([]byte, 0, len(t.keys)<<width)
	for _, key := range t.keys {
		switch width {
		case lowWidth8:
			body = append(body, byte(key))
		case lowWidth16:
			body = binary.LittleEndian.AppendUint16(body, uint16(key))
		default:
			body = binary.LittleEndian.AppendUint32(body, key)
		}
	}
	return head, body
}
