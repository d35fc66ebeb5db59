package collector

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// framer cuts what a connection carries into IPFIX messages: they follow one another,
// and each begins with the version, 10, and its length (RFC 7011 §3.1, §10.4.2).
type framer struct {
	from io.Reader
	most int // bytes of a message
	// records says that each read gives whole messages.
	records    bool
	buffer     []byte
	start, end int // of what is not cut yet
}

// ipfixVersion and ipfixHeader are what an IPFIX message begins with.
const (
	ipfixVersion = 10
	ipfixHeader  = 16
)

// frameBytes is the buffer that every connection has: for some messages of the usual
// length, and for every record of DTLS. It grows for longer messages, as they come.
const frameBytes = 16 << 10

func newFramer(from io.Reader, most int, records bool) *framer {
	return &framer{from: from, most: most, records: records, buffer: make([]byte, frameBytes)}
}

// next gives the next message, valid until the next call. io.EOF: the peer ended the
// connection after a message; every other error is final too.
func (f *framer) next() ([]byte, error) {
	for {
		n, err := f.length()
		if err != nil {
			return nil, err
		}
		if n > 0 && f.end-f.start >= n {
			f.start += n
			return f.buffer[f.start-n : f.start : f.start], nil
		}
		if err := f.fill(); err != nil {
			return nil, err
		}
	}
}

// length gives the length of the message that comes next, 0 while it is not known. What
// is no message is an error: there is no way to find where the next one begins.
func (f *framer) length() (int, error) {
	b := f.buffer[f.start:f.end]
	if len(b) < 4 {
		return 0, nil
	}
	version, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case version>>8 == 22 && version&0xff == 3:
		return 0, errors.New("no IPFIX but TLS: the exporter must be set to plain TCP, or to an address of collector.tls")
	case version != ipfixVersion:
		return 0, fmt.Errorf("no IPFIX message: it begins with version %d", version)
	case n < ipfixHeader:
		return 0, fmt.Errorf("no IPFIX message: its length is %d", n)
	case n > f.most:
		return 0, fmt.Errorf("a message of %d bytes is longer than collector.limits.max_message_bytes, %d", n, f.most)
	}
	return n, nil
}

// fill reads once.
func (f *framer) fill() error {
	rest := f.end - f.start
	if rest > 0 && f.records {
		return errors.New("a record ends within a message")
	}
	if f.start > 0 {
		copy(f.buffer, f.buffer[f.start:f.end])
		f.start, f.end = 0, rest
	}
	if rest == len(f.buffer) {
		f.buffer = append(f.buffer, make([]byte, rest)...)
	}
	n, err := f.from.Read(f.buffer[f.end:])
	f.end += n
	switch {
	case n > 0:
		return nil // an error comes again
	case rest > 0 && err != nil:
		return fmt.Errorf("the connection ended within a message: %w", errBroken(err))
	}
	return err
}

// errBroken hides the ends that are in order after a message, but not within.
func errBroken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, errStopped) || errors.Is(err, errIdle) {
		return fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, err)
	}
	return err
}
