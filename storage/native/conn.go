package native

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// farewellTimeout bounds how long ending a connection in order may take.
const farewellTimeout = 5 * time.Second

// conn is a connection on which ClickHouse knows the user. One goroutine writes, and
// one reads.
type conn struct {
	net         net.Conn
	in          *proto.Reader
	out         proto.Buffer // packets that wait for flush
	vector      [][]byte     // memory for the parts of a block
	revision    int          // of the protocol, as agreed
	compression Compression
	frames      *frames // nil for Uncompressed
}

func newConn(c net.Conn, compression Compression) *conn {
	made := &conn{net: c, in: proto.NewReader(c), revision: proto.Version, compression: compression}
	if compression == LZ4 {
		made.frames = newFrames(c)
	}
	return made
}

// flush writes the packets that wait.
func (c *conn) flush() error {
	_, err := c.net.Write(c.out.Buf)
	c.out.Reset()
	return err
}

// packet reads which packet comes.
func (c *conn) packet() (proto.ServerCode, error) {
	n, err := c.in.UVarInt()
	if err != nil {
		return 0, fmt.Errorf("wait for clickhouse: %w", err)
	}
	return proto.ServerCode(n), nil
}

// exception reads an exception and returns it, or the error of reading.
func (c *conn) exception() error {
	var e proto.Exception
	if err := e.DecodeAware(c.in, c.revision); err != nil {
		return fmt.Errorf("read an exception: %w", err)
	}
	return &Exception{Code: int32(e.Code), Name: e.Name, Message: e.Message}
}

// farewell says that nothing more comes, listens until the server has ended its side
// too, a few seconds at most, and closes. A plain Close with bytes unread would reset
// the connection.
func (c *conn) farewell() {
	// Errors mean that the connection has ended.
	raw := c.net
	if secure, ok := raw.(*tls.Conn); ok {
		_ = raw.SetWriteDeadline(time.Now().Add(farewellTimeout))
		_ = secure.CloseWrite()
		raw = secure.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = raw.SetReadDeadline(time.Now().Add(farewellTimeout))
	_, _ = io.Copy(io.Discard, raw)
	_ = raw.Close()
}
