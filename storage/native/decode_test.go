package native_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
	"tapwatch/storage/native"
)

// rowsOf are the records as people read them.
func rowsOf(b *flow.Batch) []string {
	all := make([]string, b.Len())
	for i := range all {
		all[i] = b.Row(i).String()
	}
	return all
}

// Blocks of several sizes, dictionaries of every width, and blocks that leave columns
// out come back into one batch as they were.
func TestDecodeGivesTheRecords(t *testing.T) {
	e, d := native.NewEncoder(), native.NewDecoder()
	var want []string
	var got flow.Batch
	for _, n := range []int{1, 300, 70_000} {
		b := everything(n)
		for i := range n {
			b.SrcIntel[i] = fmt.Sprint(i)
		}
		if n == 300 {
			b = new(flow.Batch)
			b.Grow(n)
			b.Bytes[7] = 7
			// Times that are told, in part, and not at all.
			b.ReceivedAt[0], b.StartAt[0], b.EndAt[0] = 5000, 1000, 4000
			b.ReceivedAt[1], b.StartAt[1], b.EndAt[1] = 5000, 0, 4000
			b.ReceivedAt[2], b.StartAt[2], b.EndAt[2] = 5000, 6000, 0
			b.ReceivedAt[3] = 5000
			b.StartAt[4], b.EndAt[4] = 1<<60, 1
		}
		block, err := e.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		var read native.Block
		if _, err := read.Read(block.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if err := d.Append(&got, &read); err != nil {
			t.Fatal(err)
		}
		want = append(want, rowsOf(b)...)
	}
	if diff := cmp.Diff(want, rowsOf(&got)); diff != "" {
		t.Errorf("records (-want +got):\n%.2000s", diff)
	}
}

func TestDecodeRefusesForeignColumns(t *testing.T) {
	// One record of one column, as FORMAT Native writes it.
	foreign := []byte("\x01\x01\x05bytes\x06UInt16\x07\x00")
	var b native.Block
	if _, err := b.Read(foreign); err != nil {
		t.Fatal(err)
	}
	var dst flow.Batch
	if err := native.NewDecoder().Append(&dst, &b); !errors.Is(err, native.ErrForeign) || dst.Len() != 0 {
		t.Errorf("error %v, %d records", err, dst.Len())
	}
}
