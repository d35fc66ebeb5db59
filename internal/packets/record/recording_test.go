package main

import (
	"bytes"
	"testing"
)

// TestWithoutUnused leaves out messages of templates alone that no data set uses.
func TestWithoutUnused(t *testing.T) {
	header := append([]byte{0, 10}, make([]byte, 14)...)
	templates := func(ids ...byte) []byte {
		m := append(bytes.Clone(header), 0, 2, 0, 0)
		for _, id := range ids {
			// One field of an enterprise, one without.
			m = append(m, 1, id, 0, 2, 0x80, 1, 0, 4, 0, 0, 0, 9, 0, 1, 0, 4)
		}
		return m
	}
	data := func(id byte) []byte { return append(bytes.Clone(header), 1, id, 0, 8, 0, 0, 0, 0) }
	used, unused := templates(1, 2), templates(3, 4)
	for _, c := range []struct {
		name      string
		all, want [][]byte
	}{
		{"ipfix", [][]byte{used, unused, data(2)}, [][]byte{used, data(2)}},
		{"all used", [][]byte{used, data(1), data(2)}, [][]byte{used, data(1), data(2)}},
		{"of another protocol", [][]byte{{0, 5}, unused}, [][]byte{{0, 5}, unused}},
	} {
		got := withoutUnused(c.all)
		if len(got) != len(c.want) {
			t.Fatalf("%s: %d messages, want %d", c.name, len(got), len(c.want))
		}
		for i := range got {
			if !bytes.Equal(got[i], c.want[i]) {
				t.Errorf("%s: message %d is %x", c.name, i, got[i])
			}
		}
	}
}
