package collector

import (
	"errors"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// descriptor is a socket that the runtime's poller does not know. The poller is told
// of every datagram that arrives, one at a time, and wakes up for it, although nobody
// waits: while datagrams gather in a socket that would cost more than reading them.
type descriptor struct {
	mu sync.RWMutex // held for reading while fd is used
	fd int          // -1 once closed
}

// detach takes the socket away from the poller: conn is closed, and tells its address
// still.
func (s *socket) detach() error {
	d := &descriptor{fd: -1}
	err := control(s.raw, func(fd int) (err error) {
		d.fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return err
	}
	s.raw, s.own = d, d
	return s.conn.Close()
}

// Control implements syscall.RawConn.
func (d *descriptor) Control(f func(fd uintptr)) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.fd < 0 {
		return net.ErrClosed
	}
	f(uintptr(d.fd))
	return nil
}

// Read implements syscall.RawConn; there is nobody to wait.
func (d *descriptor) Read(func(fd uintptr) bool) error { return errors.ErrUnsupported }

// Write implements syscall.RawConn.
func (d *descriptor) Write(func(fd uintptr) bool) error { return errors.ErrUnsupported }

// Close waits until nobody uses the descriptor.
func (d *descriptor) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return net.ErrClosed
	}
	fd := d.fd
	d.fd = -1
	return unix.Close(fd)
}

var _ syscall.RawConn = (*descriptor)(nil)
