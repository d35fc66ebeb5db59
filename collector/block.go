package collector

import "net/netip"

// arrival is one datagram as the reader of a socket has it. The payload is in two
// pieces and valid until the reader reads again.
type arrival struct {
	from          netip.AddrPort // IPv4 as such, never mapped
	at            int64          // when it was received, in milliseconds since 1970
	payload, more []byte
	// next is the position of the next one for the same worker; negative: none.
	next int
}

// message is one datagram, or one message of a connection, on its way to a worker.
type message struct {
	from   netip.AddrPort
	stream Stream
	at     int64
	// offset and size say where in its block the payload is.
	offset, size int32
	// ends says that the connection is over; there is no payload then.
	ends bool
}

// block holds messages one after the other, so that many are handed over at the cost
// of one and none needs memory of its own.
type block struct {
	data     []byte
	messages []message
	oldest   int64 // stamp of the oldest
	next     *block
}

// blockBytes is the room for payloads in a block: for some datagrams of the longest
// kind, for hundreds of the usual. blockMessages is how many it holds at most.
const (
	blockBytes    = 256 << 10
	blockMessages = 2048
)

func newBlock() *block { return &block{data: make([]byte, 0, blockBytes)} }

// fits says whether a payload of so many bytes fits.
func (b *block) fits(size int) bool {
	return len(b.data)+size <= cap(b.data) && len(b.messages) < blockMessages
}

// add puts a message in; its payload is head and then tail.
func (b *block) add(m message, head, tail []byte) {
	m.offset, m.size = int32(len(b.data)), int32(len(head)+len(tail))
	b.data = append(append(b.data, head...), tail...)
	if len(b.messages) == 0 || m.at < b.oldest {
		b.oldest = m.at
	}
	b.messages = append(b.messages, m)
}

func (b *block) payload(m *message) []byte {
	return b.data[m.offset : m.offset+m.size : m.offset+m.size]
}

// size is what the block counts for in a queue.
func (b *block) size() int { return len(b.data) + len(b.messages)*messageBytes }

// reset empties the block for reuse.
func (b *block) reset() { b.data, b.messages, b.next = b.data[:0], b.messages[:0], nil }
