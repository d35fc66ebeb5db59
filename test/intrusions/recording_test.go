package intrusions

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/csv"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// dateless is the day on which recordings without a date are played.
var dateless = time.Date(2020, 1, 6, 0, 0, 0, 0, time.UTC)

// forward gives the recording in a file with all its clocks put forward: the stamps of
// the capture and those that the router wrote into its NetFlow v9 headers, to which all
// flow times relate.
func forward(t *testing.T, path string, by time.Duration) string {
	t.Helper()
	b, err := io.ReadAll(unzip(t, path))
	if err != nil {
		t.Fatal(err)
	}
	const fileHeader, packetHeader, toUDP, toPayload, toClock = 24, 16, 14 + 20, 14 + 20 + 8, 8
	if len(b) < fileHeader || binary.LittleEndian.Uint32(b) != 0xa1b2c3d4 || binary.LittleEndian.Uint32(b[20:]) != 1 {
		t.Fatalf("%s is no little-endian pcap of Ethernet frames", path)
	}
	seconds := uint32(by / time.Second)
	for at := fileHeader; at+packetHeader <= len(b); {
		binary.LittleEndian.PutUint32(b[at:], binary.LittleEndian.Uint32(b[at:])+seconds)
		length := int(binary.LittleEndian.Uint32(b[at+8:]))
		at += packetHeader
		frame := b[at : at+length]
		if length < toPayload+toClock+4 || frame[14] != 0x45 || binary.BigEndian.Uint16(frame[toPayload:]) != 9 {
			t.Fatalf("%s holds a packet that is no NetFlow v9 over IPv4", path)
		}
		clock := frame[toPayload+toClock:]
		binary.BigEndian.PutUint32(clock, binary.BigEndian.Uint32(clock)+seconds)
		binary.BigEndian.PutUint16(frame[toUDP+6:], 0) // no checksum
		at += length
	}
	moved := filepath.Join(t.TempDir(), "replay.pcap")
	if err := os.WriteFile(moved, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return moved
}

// labelOf is what a flow is said to be, "malicious/c2", and one of its ends.
type labelOf struct{ label, addr string }

// labels are when the first flow of each label and end began.
func labels(t *testing.T, path string) map[labelOf]time.Time {
	t.Helper()
	rows, err := csv.NewReader(unzip(t, path)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %v, %d rows", path, err, len(rows))
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	begins := map[labelOf]time.Time{}
	for _, row := range rows[1:] {
		seconds, err := strconv.ParseFloat(row[column["ts_start"]], 64)
		if err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(int64(math.Floor(seconds * 1000))).UTC()
		for _, end := range []string{"src", "dst"} {
			k := labelOf{row[column["label"]] + "/" + row[column["detail"]], row[column[end]]}
			if first, seen := begins[k]; !seen || at.Before(first) {
				begins[k] = at
			}
		}
	}
	return begins
}

func unzip(t *testing.T, path string) io.Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return unzipped
}
