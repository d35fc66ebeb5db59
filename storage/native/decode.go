package native

import (
	"errors"
	"fmt"
	"unsafe"

	"tapwatch/flow"
)

// ErrForeign is the error of a block with a column that a flow.Batch does not have, or
// has with another type: another tapwatch wrote it.
var ErrForeign = errors.New("a block of another tapwatch's columns")

// Decoder puts the records of blocks back into a batch. It keeps every text that it
// meets once, so that the batches it fills share them. Not safe for concurrent use.
type Decoder struct {
	texts   map[string]string
	entries []string // of the dictionary at hand
}

// NewDecoder makes a decoder.
func NewDecoder() *Decoder { return &Decoder{texts: map[string]string{}} }

// Append appends the records of b to dst. Columns that b does not have are zero. On
// ErrForeign dst is as it was.
func (d *Decoder) Append(dst *flow.Batch, b *Block) error {
	for i := range b.columns {
		if c := &b.columns[i]; placeOf(c) == nil && !isTime(c) {
			return fmt.Errorf("%w: %s %s", ErrForeign, b.columns[i].name, b.columns[i].typ)
		}
	}
	from := dst.Grow(b.rows)
	var delays, durations []byte
	for i := range b.columns {
		c := &b.columns[i]
		p := placeOf(c)
		switch {
		case c.name == delayColumn:
			delays = c.body
		case c.name == durationColumn:
			durations = c.body
		case p.text:
			d.fill(p.texts(dst)[from:], c)
		default:
			copy(p.memory(dst)[from*p.size:], c.body)
		}
	}
	decodeTimes(dst, from, delays, durations)
	return nil
}

func isTime(c *column) bool {
	return c.typ == timesType && (c.name == delayColumn || c.name == durationColumn)
}

// placeOf is where a batch has the column; nil if it does not have it, or not so.
func placeOf(c *column) *place {
	p, known := placesByName[c.name]
	if !known || p.typ != c.typ {
		return nil
	}
	return p
}

var placesByName = func() map[string]*place {
	all := make(map[string]*place, len(places))
	for i := range places {
		all[places[i].name] = &places[i]
	}
	return all
}()

// fill writes the texts of a column that Read has checked, or Encode made.
func (d *Decoder) fill(values []string, c *column) {
	d.entries = d.entries[:0]
	for text := range c.entries() {
		d.entries = append(d.entries, d.intern(text))
	}
	pick(values, c, d.entries)
}

// maxTexts bounds what the decoder keeps.
const maxTexts = 1 << 20

func (d *Decoder) intern(text []byte) string {
	if known, ok := d.texts[unsafe.String(unsafe.SliceData(text), len(text))]; ok {
		return known
	}
	if len(d.texts) >= maxTexts {
		clear(d.texts)
	}
	kept := string(text)
	d.texts[kept] = kept
	return kept
}
