package pcap

import (
	"encoding/binary"
	"io"
)

// blocks follows the blocks of a pcapng stream that is read through it. gopacket
// takes the end of the stream for the end of the capture wherever it comes.
type blocks struct {
	r io.Reader
	// left is how much of the current block is still to come.
	left  int64
	head  []byte           // of the next block, not yet whole
	order binary.ByteOrder // by the section header, which a pcapng file begins with
}

// Read implements io.Reader.
func (b *blocks) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.follow(p[:n])
	return n, err
}

// within says whether what was read ends within a block.
func (b *blocks) within() bool { return b.left > 0 || len(b.head) > 0 }

func (b *blocks) follow(p []byte) {
	// Type, length, and in a section header the byte-order magic; then the rest.
	const head, shortest = 12, 12
	for len(p) > 0 {
		if b.left > 0 {
			n := min(b.left, int64(len(p)))
			b.left -= n
			p = p[n:]
			continue
		}
		n := min(head-len(b.head), len(p))
		b.head = append(b.head, p[:n]...)
		p = p[n:]
		if len(b.head) < head {
			return
		}
		if string(b.head[:4]) == magicPcapng {
			b.order = binary.ByteOrder(binary.LittleEndian)
			if string(b.head[8:]) == "\x1a\x2b\x3c\x4d" {
				b.order = binary.BigEndian
			}
		}
		b.left = max(int64(b.order.Uint32(b.head[4:])), shortest) - head
		b.head = b.head[:0]
	}
}
