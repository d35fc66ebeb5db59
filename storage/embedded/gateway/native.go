package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// Codes of ClickHouse errors (src/Common/ErrorCodes.cpp) that the gateway gives.
const (
	codeUnknownDatabase      = 81
	codeUnexpectedPacket     = 101
	codeNetworkError         = 210
	codeAuthenticationFailed = 516
)

func (g *Gateway) serveNative(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = g.native.Close() }) // ends Accept
	defer stop()
	door := g.door(ctx, g.native)
	for {
		c, err := door.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close() // it came with the end
			}
			return nil
		}
		if err != nil {
			return err
		}
		g.connections.Go(func() { g.handleNative(ctx, c.(*guest)) })
	}
}

// handleNative lets a client in or tells it why not.
func (g *Gateway) handleNative(ctx context.Context, client *guest) {
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	_ = client.SetReadDeadline(time.Now().Add(helloTimeout))
	in := bufio.NewReader(client)
	hello, raw, err := readHello(in)
	if err != nil {
		var refused *refusal
		if errors.As(err, &refused) {
			refused.tell(client)
		}
		return // a client that said nothing is not worth a message
	}
	if err := g.admit(hello); err != nil {
		err.tell(client)
		return
	}
	client.known()
	_ = client.SetReadDeadline(time.Time{})
	engine, err := g.connect(ctx, raw)
	if err != nil {
		(&refusal{codeNetworkError, err.Error()}).tell(client)
		return
	}
	relay(client.TCPConn, in, engine)
}

func (g *Gateway) admit(hello proto.ClientHello) *refusal {
	if !g.policy.admits(hello.User, hello.Password) {
		return &refusal{codeAuthenticationFailed, hello.User + ": Authentication failed: password is incorrect, or there is no user with such name"}
	}
	if hello.Database != "" && !g.policy.Database(hello.Database) {
		return &refusal{codeUnknownDatabase, "Database " + hello.Database + " does not exist"}
	}
	return nil
}

// connect opens a connection to the engine and says hello.
func (g *Gateway) connect(ctx context.Context, hello []byte) (*polite, error) {
	engine, err := g.dial(ctx, func(at upstream) string { return at.native })
	if err != nil {
		return nil, err
	}
	if _, err := engine.Write(hello); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return engine, nil
}

// relay copies both ways until both sides have ended. A client that goes, in
// whatever way, is to the engine one that ends in order.
func relay(client *net.TCPConn, in io.Reader, engine *polite) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(client, engine) // an error means that a side has gone
		_ = client.Close()
	}()
	_, _ = io.Copy(engine, in)
	_ = engine.CloseWrite()
	<-done
	_ = engine.Close()
}

// maxHello bounds the strings of a hello.
const maxHello = 4 << 10

// readHello reads the first packet of a client, and gives its bytes too.
func readHello(in *bufio.Reader) (hello proto.ClientHello, raw []byte, err error) {
	var seen bytes.Buffer
	r := helloReader{in: in, seen: &seen}
	if code := r.number(); r.err == nil && code != uint64(proto.ClientCodeHello) {
		return hello, nil, &refusal{codeUnexpectedPacket, fmt.Sprintf("Unexpected packet from client (expected Hello, got %d)", code)}
	}
	hello.Name = r.text()
	hello.Major, hello.Minor = int(r.number()), int(r.number())
	hello.ProtocolVersion = int(r.number())
	hello.Database, hello.User, hello.Password = r.text(), r.text(), r.text()
	return hello, seen.Bytes(), r.err
}

// helloReader reads the values of a packet and keeps their bytes. After an error it
// gives zeros.
type helloReader struct {
	in   *bufio.Reader
	seen *bytes.Buffer
	err  error
}

// ReadByte reads and keeps a byte.
func (r *helloReader) ReadByte() (byte, error) {
	b, err := r.in.ReadByte()
	if err == nil {
		r.seen.WriteByte(b)
	}
	return b, err
}

func (r *helloReader) number() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r)
	r.err = err
	return n
}

func (r *helloReader) text() string {
	n := r.number()
	if r.err == nil && n > maxHello {
		r.err = &refusal{codeUnexpectedPacket, fmt.Sprintf("a text of %d bytes in the client's Hello", n)}
	}
	if r.err != nil {
		return ""
	}
	text := make([]byte, n)
	if _, r.err = io.ReadFull(r.in, text); r.err != nil {
		return ""
	}
	r.seen.Write(text)
	return string(text)
}

// refusal is an exception as ClickHouse sends it.
type refusal struct {
	code    int32
	message string
}

func (r *refusal) Error() string { return r.message }

// tell sends the exception, as far as the client still listens.
func (r *refusal) tell(client net.Conn) {
	var b proto.Buffer
	proto.ServerCodeException.Encode(&b)
	b.PutInt32(r.code)
	b.PutString("DB::Exception")
	b.PutString("DB::Exception: " + r.message)
	b.PutString("")
	b.PutBool(false)
	_ = client.SetWriteDeadline(time.Now().Add(helloTimeout))
	_, _ = client.Write(b.Buf)
}
