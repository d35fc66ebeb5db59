package native

import (
	"errors"

	"tapwatch/flow"
)

// ErrEmpty is the error of a batch or block without records, which ClickHouse would
// take for the end of the insert.
var ErrEmpty = errors.New("a block without records")

// Encoder makes Blocks of batches. It keeps its memory from one to the next. Not safe
// for concurrent use.
type Encoder struct {
	block        Block
	dictionaries []dictionary // one for each column of strings
	times        apart
	recent       recent
}

// NewEncoder makes an encoder.
func NewEncoder() *Encoder {
	e := &Encoder{}
	for i := range places {
		if places[i].text {
			e.dictionaries = append(e.dictionaries, dictionary{indexes: map[string]uint32{}})
		}
	}
	e.block.columns = make([]column, 0, len(places)+2)
	return e
}

// Encode makes a block of the records of b. The block aliases b and the encoder: it is
// good until b is changed or the encoder encodes again. It has the columns of
// flow.Fields, but for those that are zero in every record. An empty batch is refused
// with ErrEmpty.
func (e *Encoder) Encode(b *flow.Batch) (*Block, error) {
	if b.Len() == 0 {
		return nil, ErrEmpty
	}
	e.block.rows = b.Len()
	e.block.columns = e.block.columns[:0]
	delay, duration := e.times.encode(b)
	for _, c := range []column{delay, duration} {
		if !zero(c.body) {
			e.block.columns = append(e.block.columns, c)
		}
	}
	texts := 0
	for i := range places {
		p := &places[i]
		c := column{name: p.name, typ: p.typ, body: p.memory(b)}
		nothing := zero(c.body)
		if p.text {
			if !nothing {
				c.head, c.body, nothing = e.dictionaries[texts].encode(p.texts(b), &e.recent)
			}
			texts++
		}
		if nothing && i > 0 { // the first always stays: a block has a column
			continue
		}
		e.block.columns = append(e.block.columns, c)
	}
	return &e.block, nil
}
