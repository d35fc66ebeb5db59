package packets

import (
	"bytes"
	"path/filepath"
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

// TestSpecialTraffic makes sure that the frames are those that the fixtures were
// made of, whose records tests compare with the constants.
func TestSpecialTraffic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "special.pcap")
	if err := WriteSpecialFile(path); err != nil {
		t.Fatal(err)
	}
	all, err := frames(path)
	if err != nil {
		t.Fatal(err)
	}
	// Of the frames: length, and EtherType.
	want := []struct {
		length    int
		etherType [2]byte
	}{
		{78, [2]byte{0x81, 0x00}}, {78, [2]byte{0x81, 0x00}}, {78, [2]byte{0x81, 0x00}}, {150, [2]byte{0x88, 0x47}}, {114, [2]byte{8, 0}},
		{70, [2]byte{8, 0}}, {122, [2]byte{0x86, 0xdd}}, {114, [2]byte{8, 0}}, {80, [2]byte{8, 0}},
	}
	if len(all) != len(want) {
		t.Fatalf("%d frames, want %d", len(all), len(want))
	}
	for i, frame := range all {
		if len(frame) != want[i].length || [2]byte(frame[12:14]) != want[i].etherType {
			t.Errorf("frame %d: %d bytes of EtherType %x", i, len(frame), frame[12:14])
		}
	}
}
