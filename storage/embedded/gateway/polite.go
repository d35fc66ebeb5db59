package gateway

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// polite is a connection to the engine that never ends in a reset: Close says that
// nothing more comes and listens until the engine has ended its side too.
type polite struct {
	*net.TCPConn
	ended  func() // called once, when both sides have ended
	closed atomic.Bool
}

// Close returns at once; the rest happens in the background.
func (p *polite) Close() error {
	if !p.closed.CompareAndSwap(false, true) {
		return net.ErrClosed
	}
	err := p.CloseWrite()
	go func() {
		defer p.ended()
		// Errors mean that the connection has ended.
		_ = p.SetReadDeadline(time.Now().Add(farewellTimeout))
		_, _ = io.Copy(io.Discard, p.TCPConn)
		_ = p.TCPConn.Close()
	}()
	return err
}
