package native_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tapwatch/flow"
	"tapwatch/internal/testkit"
	"tapwatch/storage/native"
)

// framing writes batches as frames and reads them into a joiner, always by way of the
// same memory.
type framing struct {
	encoder *native.Encoder
	memory  []byte
}

func newFraming() *framing { return &framing{encoder: native.NewEncoder()} }

// add adds the records of b as one frame.
func (f *framing) add(t interface{ Fatal(...any) }, j *native.Joiner, b *flow.Batch) {
	block, err := f.encoder.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	f.memory = block.Append(f.memory[:0])
	var read native.Block
	if _, err := read.Read(f.memory); err != nil {
		t.Fatal(err)
	}
	if err := j.Add(&read); err != nil {
		t.Fatal(err)
	}
	for i := range f.memory { // the reader of a segment does so with its memory
		f.memory[i] = 0xee
	}
}

// join cuts b at the places and joins the frames.
func (f *framing) join(t interface{ Fatal(...any) }, b *flow.Batch, cuts ...int) *native.Block {
	var j native.Joiner
	from := 0
	for _, to := range append(slices.Clone(cuts), b.Len()) {
		var part flow.Batch
		part.AppendRange(b, from, to-from)
		f.add(t, &j, &part)
		from = to
	}
	joined, err := j.Block()
	if err != nil {
		t.Fatal(err)
	}
	return joined
}

// decoded are the records of a block that was put into bytes and read back.
func decoded(t interface{ Fatal(...any) }, block *native.Block) []string {
	var read native.Block
	rest, err := read.Read(block.Append(nil))
	if err != nil || len(rest) > 0 {
		t.Fatal(len(rest), "bytes are left of the block, error", err)
	}
	var b flow.Batch
	if err := native.NewDecoder().Append(&b, &read); err != nil {
		t.Fatal(err)
	}
	return rowsOf(&b)
}

// However a batch is cut into frames, joined they are the block of the whole batch:
// the same records in the same order, the same columns and dictionaries.
func TestJoinedFramesAreTheBatch(t *testing.T) {
	sources := []*flow.Batch{everything(40), traffic(40), new(flow.Batch)}
	sources[2].Grow(40) // zeros, whose columns are left out
	f := newFraming()
	rapid.Check(t, func(t *rapid.T) {
		var b flow.Batch
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			from := rapid.IntRange(0, 39).Draw(t, "from")
			b.AppendRange(rapid.SampledFrom(sources).Draw(t, "source"), from, rapid.IntRange(1, 40-from).Draw(t, "records"))
		}
		var cuts []int
		for cut := range b.Len() - 1 {
			if rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
				cuts = append(cuts, cut+1)
			}
		}
		joined := f.join(t, &b, cuts...)
		whole, err := native.NewEncoder().Encode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rowsOf(&b), decoded(t, joined)); diff != "" {
			t.Fatalf("cut at %v: records (-written +joined):\n%.2000s", cuts, diff)
		}
		got, want := slices.Sorted(slices.Values(joined.Columns())), slices.Sorted(slices.Values(whole.Columns()))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("cut at %v: columns (-whole +joined):\n%s", cuts, diff)
		}
		if got, want := len(joined.Append(nil)), len(whole.Append(nil)); got != want {
			t.Fatalf("cut at %v: %d bytes joined, %d as a whole", cuts, got, want)
		}
	})
}

// Dictionaries grow from frame to frame, past what indexes of 8 and 16 bits hold.
func TestJoinedDictionaries(t *testing.T) {
	for _, distinct := range []int{1, 200, 255, 256, 65_535, 65_536, 70_200} { // and the empty string
		var b flow.Batch
		b.Grow(distinct + 100)
		for i := range b.Len() {
			b.Bytes[i] = uint64(i)
			b.SrcASOrg[i] = fmt.Sprintf("AS %d", i%distinct)
			if i%2 == 0 {
				b.DstASOrg[i] = strings.Clone(b.SrcASOrg[max(0, i-7)])
			}
		}
		joined := newFraming().join(t, &b, 1, 2+distinct/300, 50+distinct/3)
		if diff := cmp.Diff(rowsOf(&b), decoded(t, joined)); diff != "" {
			t.Errorf("%d distinct values: records (-written +joined):\n%.1000s", distinct, diff)
		}
		if got, want := len(joined.Append(nil)), len(encode(t, &b).Append(nil)); got != want {
			t.Errorf("%d distinct values: %d bytes joined, %d as a whole", distinct, got, want)
		}
	}
}

// Columns come in the order in which they first did. Where a frame lacks one there are
// zeros, before, between and behind.
func TestJoinFillsMissingColumns(t *testing.T) {
	var j native.Joiner
	zone := func(text string) []byte {
		return []byte("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00" +
			string(byte(len(text))) + text + "\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	}
	for _, data := range [][]byte{
		column([]byte{1, 1}, "later", "UInt8", []byte{1}),
		column(column([]byte{2, 1}, "new", "UInt16", []byte{2, 3}), "src_zone", lowCardinality, zone("a")),
		column([]byte{1, 2}, "later", "UInt8", []byte{4, 5}),
		column([]byte{1, 1}, "src_zone", lowCardinality, zone("b")),
		column([]byte{1, 1}, "later", "UInt8", []byte{6}),
	} {
		var b native.Block
		if _, err := b.Read(data); err != nil {
			t.Fatal(err)
		}
		if err := j.Add(&b); err != nil {
			t.Fatal(err)
		}
	}
	joined, err := j.Block()
	if err != nil {
		t.Fatal(err)
	}
	want := column([]byte{3, 6}, "later", "UInt8", []byte{1, 0, 4, 5, 0, 6})
	want = column(want, "new", "UInt16", []byte{0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0})
	want = column(want, "src_zone", lowCardinality, []byte("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"+
		"\x00\x01a\x01b"+"\x06\x00\x00\x00\x00\x00\x00\x00"+"\x00\x01\x00\x00\x02\x00"))
	if diff := cmp.Diff(want, joined.Append(nil)); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
}

const lowCardinality = "LowCardinality(String)"

func TestJoinRefuses(t *testing.T) {
	if _, err := new(native.Joiner).Block(); !errors.Is(err, native.ErrEmpty) {
		t.Errorf("no records: %v", err)
	}
	for want, frames := range map[string][][]byte{
		`column "bytes" is "UInt8" in one and "UInt16" in another`: {
			column([]byte{1, 1}, "bytes", "UInt8", []byte{1}), column([]byte{1, 1}, "bytes", "UInt16", []byte{1, 1}),
		},
		`column "bytes" is twice in a block`: {
			column(column([]byte{2, 1}, "bytes", "UInt8", []byte{1}), "bytes", "UInt8", []byte{1}),
		},
	} {
		var j native.Joiner
		var err error
		for _, data := range frames {
			var b native.Block
			if _, err := b.Read(data); err != nil {
				t.Fatal(err)
			}
			err = errors.Join(err, j.Add(&b))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %s", err, want)
		}
	}
}

// What was sent as one block is known again when it comes as frames that were joined.
func TestJoinedFramesAreKnownAgain(t *testing.T) {
	s := testkit.Store(t)
	c := client(t, options(t, s))
	b := numberedBatch(0, 1000)
	joined := newFraming().join(t, b, 100, 101, 700)
	insert(t, c, "a", encode(t, b))
	insert(t, c, "a", joined)
	stored(t, s, 1000, 1)

	insert(t, c, "b", joined)
	insert(t, c, "b", encode(t, b))
	stored(t, s, 1000, 2)
}

// ClickHouse takes the dictionaries and the zeros that joining makes.
func TestJoinedFramesAreStored(t *testing.T) {
	s := testkit.Store(t)
	var b flow.Batch
	b.Grow(400)
	for i := range 300 { // texts that the first and the last frame do not have
		b.SrcASOrg[50+i] = fmt.Sprintf("AS %d", i)
	}
	b.AppendRange(everything(200), 0, 200)
	for i := range b.Len() {
		b.ReceivedAt[i] = testTime.UnixMilli()
		b.Bytes[i] = uint64(i)
	}
	insert(t, client(t, options(t, s)), token(), newFraming().join(t, &b, 40, 200, 360))
	sameAsStored(t, s, "flows", &b)
}
