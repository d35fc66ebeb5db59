//go:build !linux

package collector

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// canShare says that several sockets can share one address: only Linux spreads what
// comes over them.
const canShare = false

func share(syscall.RawConn) error { return nil }

func prepare(syscall.RawConn) error { return nil }

func granted(syscall.RawConn) (bytes int, err error) { return 0, nil }

// readable is not known here, and need not be: datagrams are stamped when they are
// read.
func readable(syscall.RawConn) bool { return false }

func (s *socket) lookForDrops() {}

func (s *socket) detach() error { return nil }

// plainReceiver reads one datagram after the other.
type plainReceiver struct {
	*socket
	dispatch func([]arrival)
	payload  []byte
}

func newReceiver(s *socket, dispatch func([]arrival)) (receiver, error) {
	return &plainReceiver{socket: s, dispatch: dispatch, payload: make([]byte, 1<<16)}, nil
}

func (r *plainReceiver) close() error { return nil }

// receive implements receiver.
func (r *plainReceiver) receive() error {
	n, from, err := r.conn.ReadFromUDPAddrPort(r.payload)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.millis()
	r.dispatch([]arrival{{
		from: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), at: r.stamp(now, now), payload: r.payload[:n],
	}})
	return nil
}

// spare implements receiver: datagrams are stamped when they are read, so reading must
// not wait.
func (r *plainReceiver) spare() bool { return false }

// rest implements receiver.
func (r *plainReceiver) rest(wait time.Duration) (more bool, err error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return false, err
	}
	err = r.receive()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	return err == nil, err
}
