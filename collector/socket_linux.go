package collector

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// canShare says that several sockets can share one address.
const canShare = true

// share lets sockets share an address (SO_REUSEPORT), which all of them must allow.
func share(raw syscall.RawConn) error {
	return control(raw, func(fd int) error { return setOption(fd, unix.SO_REUSEPORT) })
}

// prepare makes the kernel tell with each datagram when it came (SO_TIMESTAMPNS) and
// how many it has dropped (SO_RXQ_OVFL).
func prepare(raw syscall.RawConn) error {
	return control(raw, func(fd int) error {
		return errors.Join(setOption(fd, unix.SO_TIMESTAMPNS), setOption(fd, unix.SO_RXQ_OVFL))
	})
}

// granted is the receive buffer that the kernel granted. Linux counts its own
// bookkeeping in: it doubles what is asked.
func granted(raw syscall.RawConn) (bytes int, err error) {
	err = control(raw, func(fd int) error {
		bytes, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		return os.NewSyscallError("getsockopt", err)
	})
	return bytes / 2, err
}

// readable says whether a datagram waits. A socket that is closed has none.
func readable(raw syscall.RawConn) bool {
	waits := false
	_ = control(raw, func(fd int) error {
		waits = await(fd, 0)
		return nil
	})
	return waits
}

// lookForDrops asks the kernel how many datagrams it dropped. The last ones before a
// silence are told in no other way: SO_RXQ_OVFL needs a datagram to come with.
func (s *socket) lookForDrops() {
	// SO_MEMINFO gives a list of numbers, this one at the place SK_MEMINFO_DROPS.
	const place = 8
	var info [place + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	err := control(s.raw, func(fd int) error {
		_, _, e := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if e != 0 {
			return e
		}
		return nil
	})
	if err == nil && uintptr(size) >= unsafe.Sizeof(info) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drops(info[place])
	}
}

// control calls f with the socket's descriptor.
func control(raw syscall.RawConn, f func(fd int) error) error {
	var err error
	if failed := raw.Control(func(fd uintptr) { err = f(int(fd)) }); failed != nil {
		return failed
	}
	return err
}

func setOption(fd, option int) error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1))
}

// await waits until a datagram can be read; false: none came in that time.
func await(fd int, wait time.Duration) bool {
	for {
		fds := [...]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds[:], int(wait.Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0 && fds[0].Revents&unix.POLLIN != 0
		}
	}
}
