package packets

import (
	"bytes"
	"testing"
)

func TestWriteIsDeterministic(t *testing.T) {
	var a, b, other bytes.Buffer
	o := Defaults()
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := Write(w, o); err != nil {
			t.Fatal(err)
		}
	}
	o.Seed++
	if err := Write(&other, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same options gave different traffic")
	}
	if bytes.Equal(a.Bytes(), other.Bytes()) {
		t.Error("another seed gave the same traffic")
	}
}
