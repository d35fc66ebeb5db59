package collector

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// ipfixMessage is a message of that length, header included, filled with n.
func ipfixMessage(size int, n byte) []byte {
	b := bytes.Repeat([]byte{n}, size)
	binary.BigEndian.PutUint16(b, ipfixVersion)
	binary.BigEndian.PutUint16(b[2:], uint16(size))
	return b
}

// cuts is a reader that gives what it has in pieces that end at the given places.
type cuts struct {
	data []byte
	at   []int
	read int
}

func (c *cuts) Read(p []byte) (int, error) {
	if c.read == len(c.data) {
		return 0, io.EOF
	}
	end := len(c.data)
	for _, at := range c.at {
		if at > c.read {
			end = min(end, at)
		}
	}
	n := copy(p, c.data[c.read:end])
	c.read += n
	return n, nil
}

// frames reads all messages.
func frames(f *framer) (all [][]byte, err error) {
	for {
		m, err := f.next()
		if err != nil {
			return all, err
		}
		all = append(all, bytes.Clone(m))
	}
}

// TestFrames: messages come whole, wherever the connection cuts or joins them.
func TestFrames(t *testing.T) {
	want := [][]byte{ipfixMessage(16, 1), ipfixMessage(40, 2), ipfixMessage(17, 3)}
	stream := slices.Concat(want...)
	check := func(name string, from io.Reader) {
		t.Helper()
		got, err := frames(newFramer(from, 1<<16-1, false))
		if !errors.Is(err, io.EOF) || !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s: %d messages, %v", name, len(got), err)
		}
	}
	check("at once", bytes.NewReader(stream))
	check("byte by byte", iotest.OneByteReader(bytes.NewReader(stream)))
	check("the end with the data", iotest.DataErrReader(bytes.NewReader(stream)))
	for i := range stream {
		for j := i; j < len(stream); j++ {
			check("cut", &cuts{data: stream, at: []int{i, j}})
		}
	}
}

// TestLongFrames: the buffer grows for long messages, and no further.
func TestLongFrames(t *testing.T) {
	var want [][]byte
	for _, size := range []int{100, 1<<16 - 1, frameBytes, frameBytes + 1, 1<<16 - 1, 16} {
		want = append(want, ipfixMessage(size, byte(size)))
	}
	f := newFramer(bytes.NewReader(slices.Concat(want...)), 1<<16-1, false)
	got, err := frames(f)
	if !errors.Is(err, io.EOF) || !slices.EqualFunc(got, want, bytes.Equal) || len(f.buffer) > 1<<16 {
		t.Errorf("%d messages, %v; a buffer of %d", len(got), err, len(f.buffer))
	}
}

// TestNoFrames: what is no message ends the connection, after the messages before it.
func TestNoFrames(t *testing.T) {
	good := ipfixMessage(20, 1)
	for _, c := range []struct {
		name    string
		after   []byte
		records bool
		want    string
	}{
		{"another version", []byte{0, 9, 0, 20}, false, "begins with version 9"},
		{"text", []byte("GET / HTTP/1.1\r\n\r\n"), false, "begins with version 18245"},
		{"TLS", []byte{22, 3, 1, 0, 200, 1}, false, "no IPFIX but TLS"},
		{"a length below the header", []byte{0, 10, 0, 15}, false, "its length is 15"},
		{"a message too long", ipfixMessage(513, 1), false, "longer than collector.limits.max_message_bytes, 512"},
		{"a header cut", []byte{0, 10}, false, "ended within a message"},
		{"a message cut", good[:19], false, "ended within a message"},
		{"a record that ends within a message", good[:19], true, "a record ends within a message"},
	} {
		from := io.Reader(&cuts{data: slices.Concat(good, c.after), at: []int{len(good)}})
		got, err := frames(newFramer(from, 512, c.records))
		if len(got) != 1 || err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, io.EOF) {
			t.Errorf("%s: %d messages, %v", c.name, len(got), err)
		}
	}
}
