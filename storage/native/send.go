package native

import (
	"cmp"
	"errors"
	"fmt"
	"net"

	"github.com/ClickHouse/ch-go/proto"
)

// stopped is the end of an insert that the connection is not to blame for: ClickHouse
// has answered while blocks were still to be sent, or there is no next block to send.
type stopped struct {
	err      error
	answered bool
}

func (e *stopped) Error() string { return e.err.Error() }

// sendAll sends the blocks and the end of the data.
func (c *conn) sendAll(i *insertion, answer <-chan error) error {
	for {
		select {
		case err := <-answer:
			return &stopped{cmp.Or(err, errors.New("clickhouse ended the insert in the middle")), true}
		default:
		}
		i.begun = true
		if err := c.sendBlock(i.block); err != nil {
			return fmt.Errorf("send a block: %w", err)
		}
		block, err, more := i.next()
		if err != nil {
			return &stopped{err: err}
		}
		if !more {
			break
		}
		i.block = block
		if err := i.check(); err != nil {
			return &stopped{err: err}
		}
	}
	if err := c.sendBlock(&Block{}); err != nil {
		return fmt.Errorf("send the end of the data: %w", err)
	}
	return nil
}

// sendBlock sends what waits in out and a Data packet with the block.
func (c *conn) sendBlock(b *Block) error {
	proto.ClientCodeData.Encode(&c.out)
	proto.ClientData{}.EncodeAware(&c.out, c.revision)
	if c.frames == nil {
		return c.sendPlain(b)
	}
	if err := c.flush(); err != nil {
		return err
	}
	return c.sendCompressed(b)
}

// startBlock appends to out what a block begins with.
func (c *conn) startBlock(b *Block) {
	if proto.FeatureBlockInfo.In(c.revision) {
		proto.BlockInfo{BucketNum: -1}.Encode(&c.out)
	}
	c.out.Buf = b.appendStart(c.out.Buf)
}

// sendPlain hands the columns to the kernel from where they are.
func (c *conn) sendPlain(b *Block) error {
	c.startBlock(b)
	from := 0 // of out, what is not in the vector yet
	c.vector = c.vector[:0]
	for i := range b.columns {
		col := &b.columns[i]
		c.out.Buf = col.appendStart(c.out.Buf, c.revision)
		c.out.Buf = append(c.out.Buf, col.head...)
		if len(col.body) < smallBody {
			c.out.Buf = append(c.out.Buf, col.body...)
			continue
		}
		// Where out grows later, this keeps what it was.
		c.vector = append(c.vector, c.out.Buf[from:], col.body)
		from = len(c.out.Buf)
	}
	c.vector = append(c.vector, c.out.Buf[from:])
	defer func() { clear(c.vector); c.out.Reset() }()
	if len(c.vector) == 1 {
		_, err := c.net.Write(c.vector[0])
		return err
	}
	parts := net.Buffers(c.vector)
	_, err := parts.WriteTo(c.net)
	return err
}

// smallBody is up to how many bytes copying costs less than a part of its own.
const smallBody = 4 << 10

// sendCompressed sends the block in compressed frames.
func (c *conn) sendCompressed(b *Block) error {
	c.startBlock(b)
	for i := range b.columns {
		col := &b.columns[i]
		c.out.Buf = col.appendStart(c.out.Buf, c.revision)
		c.frames.write(c.out.Buf)
		c.out.Reset()
		c.frames.write(col.head)
		c.frames.write(col.body)
	}
	c.frames.write(c.out.Buf)
	c.out.Reset()
	return c.frames.flush()
}
